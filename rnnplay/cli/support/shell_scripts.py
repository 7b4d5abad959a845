"""The scripts that make a shell ask rnnplay what to offer, and the form in which each shell is answered.

A script sends the command line up to the cursor, quotes and all, in COMP_LINE. A line of the answer is a kind ("plain";
"file" or "dir" for paths, which the shell lists itself), a value and perhaps its help, with tabs between them.
"""

from __future__ import annotations

import re
import shlex

_BASH = r"""_rnnplay_completion() {
    local kind value help
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            plain) COMPREPLY+=("$value") ;;
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
        esac
    done < <(_RNNPLAY_COMPLETE=bash_complete COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORD="$2" \
        "${1/#\~/$HOME}" 2>/dev/null </dev/null)
}
complete -o nosort -F _rnnplay_completion rnnplay
"""

_ZSH = r"""#compdef rnnplay
_rnnplay_completion() {
    local kind value help
    local -a offered
    while IFS=$'\t' read -r kind value help; do
        if [[ $kind == plain ]]; then
            offered+=("${value//:/\\:}${help:+:$help}")
        elif [[ $kind == (file|dir) ]]; then
            [[ -z $value ]] || compset -P 1 '*='
            if [[ $kind == dir ]]; then _files -/; else _files; fi
        fi
    done < <(_RNNPLAY_COMPLETE=zsh_complete COMP_LINE="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX" \
        ${~${(Q)words[1]}} 2>/dev/null </dev/null)
    (( ! $#offered )) || _describe -V rnnplay offered
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then  # read from a folder of $fpath
    _rnnplay_completion "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _rnnplay_completion rnnplay
fi
"""

_FISH = r"""function _rnnplay_completion
    set -l program (commandline -opc | string replace --regex '^~(?=/)' $HOME)[1]
    env _RNNPLAY_COMPLETE=fish_complete COMP_LINE=(commandline -cp | string join ' ') $program 2>/dev/null </dev/null |
    while read --local --delimiter \t kind value help
        set -l word (commandline -ct | string replace -- "$value" '')
        switch $kind
            case plain
                printf '%s\t%s\n' $value $help
            case file
                printf '%s\n' "$value"(__fish_complete_path $word)
            case dir
                printf '%s\n' "$value"(__fish_complete_directories $word '')
        end
    end
end
complete --command rnnplay --no-files --keep-order --arguments '(_rnnplay_completion)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

_CURSOR = "\0"


def split_line(line: str) -> tuple[list[str], str]:
    """Splits a command line into words as a shell does, the last being the one typed at the line's end, perhaps empty.

    Returns them without their quotes, and the quote that is still open at the end, or "".
    """
    lexer = shlex.shlex(line + _CURSOR, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    quote = ""
    try:
        words.extend(lexer)
    except ValueError:  # no closing quote
        quote = lexer.state or ""  # type: ignore[attr-defined]
        words.append(lexer.token)
    return [*words[:-1], words[-1].removesuffix(_CURSOR)], quote


def for_bash(value: str, line: str, typed: str) -> str:
    """Returns what bash puts in place of `typed`, the end of the line, to make its last word `value`.

    Bash breaks words at = and @, too, so that what it replaces may be the end of the word alone; and it takes what it
    gets for text that is quoted as it has to be.
    """
    words, quote = split_line(line)
    word = words[-1]
    replaced = typed if word.endswith(typed) else split_line(typed)[0][-1]
    rest = value[len(word) - len(replaced) :]
    if quote:
        return rest
    return re.sub(r"[^\w%+,./:=@-]", r"\\\g<0>", rest)
