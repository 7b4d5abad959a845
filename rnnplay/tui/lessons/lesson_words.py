"""The interface's texts while a lesson is open, in the lesson's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from textual.binding import ActiveBinding

from rnnplay.lessons.languages import Language
from rnnplay.tui.lessons.chinese import in_chinese

Words = dict[Language, str]

MEASURING: Words = {"en": "measuring…", "zh": "正在测量…"}
MEASURING_FIRST: Words = {
    "en": "The finished run is still being measured; the next one starts after that.",
    "zh": "正在测量刚刚结束的训练，随后继续。",
}
AGAIN: Words = {
    "en": "Step {step} requires {asked}, but {measured} was measured: training again with another seed.",
    "zh": "第 {step} 步要求{asked}，测得 {measured}：换一个随机种子，再训练一次。",
}
OPENED: Words = {
    "en": "Step {step} is about {variant}: reopening its run.",
    "zh": "第 {step} 步看的是 {variant}：重新打开它的训练。",
}
BRANCH_LATER: Words = {
    "en": "This run begins with the weights of “{variant}”; train that first ({{playground.train}}).",
    "zh": "这次训练从“{variant}”的权重开始；请先训练它（{{playground.train}}）。",
}
NEW_TITLE: Words = {"en": "A run that is not the lesson's", "zh": "不属于本课的训练"}
NEW_QUESTION: Words = {
    "en": "{playground.new} begins a run with the settings in the form, which cannot tick any of the lesson's steps. "
    "{playground.train} does what the lesson needs next.",
    "zh": "{playground.new} 会按表单里的设置开始一次新的训练，本课的步骤不会因此打勾。"
    "本课接下来要做的事，按 {playground.train}。",
}
NEW_YES: Words = {"en": "Begin it", "zh": "开始"}
NEW_NO: Words = {"en": "Stay in the lesson", "zh": "留在本课"}
UNFINISHED_TITLE: Words = {"en": "Begin the lesson's run", "zh": "开始本课的训练"}
UNFINISHED: Words = {
    "en": "{run} is at step {step:,} and not finished. Train what the lesson needs next in its place? "
    "It stays in the list of runs ({{playground.runs}}).",
    "zh": "{run} 在第 {step:,} 步，还没有结束。要换成本课接下来的训练吗？它仍留在训练记录里（{{playground.runs}}）。",
}
UNFINISHED_NO: Words = {"en": "Cancel", "zh": "取消"}
FINISHED: Words = {"en": "{run} is finished at step {step:,}.", "zh": "{run} 已在第 {step:,} 步结束。"}
RUNNING: Words = {
    "en": "A run is under way; stop it ({playground.stop}) before starting another.",
    "zh": "训练正在进行；先停止（{playground.stop}），再开始另一次。",
}
NUMBER: Words = {"en": "Lesson {}", "zh": "第 {} 课"}
LESSON_HELP: Words = {
    "en": """
## Lesson

Read the page, start the runs that it names, and look where it says. A step ticks itself once its conditions have
been measured; the numbers below it are the latest measurements. `[i 1]` means: press `i`, then `1`.

`t` does what the next step needs: it trains, resumes a run that was stopped, or shows the view to look at. `tab`
goes from button to button, `a` opens the answer, `escape` goes to the charts. `l` returns to the page, or
chooses another lesson and the language; `ctrl+l` closes the lesson.
""",
    "zh": """
## 课程

阅读本页，开始其中提到的训练，并按提示去看相应的视图。每一步所说的内容一经测得，就会自己打勾；
下方的数字是最近一次的测量值。`[i 1]` 表示先按 `i`，再按 `1`。

`t` 做下一步所需要的事：训练、继续已停止的训练，或打开要看的视图。`tab` 在按钮之间移动，`a` 打开答案，
`escape` 回到图表。`l` 回到本页，或选择另一课和语言；`ctrl+l` 关闭本课。
""",
}
LIST_HELP: Words = {
    "en": """
## Lessons

`↑` `↓` choose a lesson, `{lessons.open}` opens it beside the charts; *done* counts the steps that have ticked.
""",
    "zh": """
## 课程

`↑` `↓` 选择一课，`{lessons.open}` 在图表旁打开它；“完成”一栏是已打勾的步数。
""",
}
LESSON_KEYS: Words = {
    "en": "{playground.lessons} lessons  {playground.answer} answer  {playground.close-lesson} close",
    "zh": "{playground.lessons} 课程  {playground.answer} 答案  {playground.close-lesson} 关闭",
}
KEYS: Words = {
    "en": "{playground.train} does what comes next. [{playground.inspect} {inspection.view-3}] means: "
    "press {playground.inspect}, then {inspection.view-3}.",
    "zh": "按 {playground.train} 做下一件事。[{playground.inspect} {inspection.view-3}] 表示"
    "先按 {playground.inspect}，再按 {inspection.view-3}。",
}
BUTTON_KEYS: Words = {"en": "tab, enter", "zh": "tab，回车"}
ANSWER: Words = {"en": "The answer ({playground.answer})", "zh": "答案（{playground.answer}）"}
ALL_DONE: Words = {
    "en": "Every step is done. {playground.lessons} opens the next lesson, {playground.new} begins a run.",
    "zh": "每一步都已完成。按 {playground.lessons} 打开下一课，按 {playground.new} 开始新的训练。",
}
DONE: Words = {"en": "every step of this lesson is done", "zh": "本课的每一步都已完成"}


def in_language(word: str, language: Language) -> str:
    """Translates a word or a sentence of the interface; one without a translation stays English."""
    return in_chinese(word) if language == "zh" else word


def translation(language: Language) -> Callable[[str], str]:
    """Returns `in_language` for a widget that knows nothing of lessons."""
    return partial(in_language, language=language)


def footer_in(bindings: dict[str, ActiveBinding], language: Language) -> dict[str, ActiveBinding]:
    """Translates the descriptions of the bindings for the footer."""
    if language == "en":
        return bindings
    return {
        key: active._replace(binding=replace(active.binding, description=in_language(shown, language)))
        for key, active in bindings.items()
        for shown in (active.binding.description,)
    }
