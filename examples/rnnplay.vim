" Ghost text in Vim (9.0.0067 or newer) and Neovim (0.7 or newer) from a model trained with rnnplay.
"
"   :source examples/rnnplay.vim
"   :RnnplayStart first         the run to ask; in insert mode Tab takes the suggestion
"   :RnnplayStop
"
" One process, `rnnplay complete RUN --serve`, keeps the model loaded: a line of JSON for each key, a line in answer.

let s:job = v:null
let s:request = 0
let s:ghost = ''
let s:at = []
let s:rest = ''

" The longest text that is sent: characters before the cursor.
let g:rnnplay_context = get(g:, 'rnnplay_context', 1000)

highlight default link RnnplayGhost Comment
if has('nvim')
  let s:namespace = nvim_create_namespace('rnnplay')
elseif empty(prop_type_get('rnnplay'))
  call prop_type_add('rnnplay', {'highlight': 'RnnplayGhost'})
endif

function! s:Start(run) abort
  call s:Stop()
  let l:command = get(g:, 'rnnplay_command', ['rnnplay']) + ['complete', a:run, '--serve']
  if has('nvim')
    let s:job = jobstart(l:command, {'on_stdout': function('s:Chunk'), 'on_stderr': function('s:Trouble')})
  else
    let s:job = job_start(l:command, {'out_mode': 'nl', 'out_cb': {_, line -> s:Answer(line)},
      \ 'err_mode': 'nl', 'err_cb': {_, line -> s:Trouble(0, [line], '')}})
  endif
  augroup rnnplay
    autocmd!
    autocmd TextChangedI,CursorMovedI * call s:Ask()
    autocmd InsertLeave * call s:Clear()
    if has('nvim') " where `a` at the end of a line counts as no move of the cursor
      autocmd InsertEnter * call timer_start(0, {-> s:Ask()})
    endif
  augroup END
  inoremap <silent> <expr> <Tab> <SID>Ghost() ==# '' ? "\<Tab>" : "\<C-r>\<C-o>=RnnplayTake()\<CR>"
endfunction

function! s:Stop() abort
  if s:job isnot v:null
    if has('nvim')
      call jobstop(s:job)
    else
      call job_stop(s:job)
    endif
    let s:job = v:null
    silent! iunmap <Tab>
  endif
  augroup rnnplay
    autocmd!
  augroup END
  call s:Clear()
endfunction

function! s:Ask() abort
  if s:at == getcurpos()[1:2] && s:ghost !=# ''
    return
  endif
  call s:Clear()
  if s:job is v:null || col('.') < col('$')
    return
  endif
  let s:request += 1
  let l:lines = getline(max([1, line('.') - 50]), line('.') - 1) + [strpart(getline('.'), 0, col('.') - 1)]
  let l:text = join(l:lines, "\n")
  let l:text = strcharpart(l:text, max([0, strchars(l:text) - g:rnnplay_context]))
  let l:line = json_encode({'id': s:request, 'text': l:text, 'bars': 0}) .. "\n"
  if has('nvim')
    silent! call chansend(s:job, l:line)
  elseif job_status(s:job) ==# 'run'
    call ch_sendraw(job_getchannel(s:job), l:line)
  endif
endfunction

" Neovim hands over what has come, whole lines or not.
function! s:Chunk(job, data, event) abort
  let l:lines = copy(a:data)
  let l:lines[0] = s:rest .. l:lines[0]
  let s:rest = remove(l:lines, -1)
  for l:line in l:lines
    call s:Answer(l:line)
  endfor
endfunction

function! s:Answer(line) abort
  let l:answer = json_decode(a:line)
  if has_key(l:answer, 'error')
    return s:Trouble(0, [l:answer.error], '')
  endif
  if get(l:answer, 'id', 0) != s:request || mode() !=# 'i'
    return
  endif
  call s:Clear()
  let s:ghost = l:answer.phrase
  let s:at = getcurpos()[1:2]
  if s:ghost ==# ''
    return
  endif
  if has('nvim')
    call nvim_buf_set_extmark(0, s:namespace, line('.') - 1, col('.') - 1,
      \ {'virt_text': [[s:ghost, 'RnnplayGhost']], 'virt_text_pos': 'overlay'})
  else
    call prop_add(line('.'), 0, {'type': 'rnnplay', 'text': s:ghost, 'text_align': 'after'})
    redraw
  endif
endfunction

function! s:Trouble(job, lines, event) abort
  for l:line in a:lines
    if l:line !=# ''
      echomsg 'rnnplay: ' .. l:line
    endif
  endfor
endfunction

function! s:Clear() abort
  let s:ghost = ''
  if has('nvim')
    call nvim_buf_clear_namespace(0, s:namespace, 0, -1)
  else
    call prop_remove({'type': 'rnnplay', 'all': v:true})
  endif
endfunction

function! s:Ghost() abort
  return s:at == getcurpos()[1:2] ? s:ghost : ''
endfunction

function! RnnplayTake() abort
  let l:text = s:ghost
  call s:Clear()
  return l:text
endfunction

command! -nargs=1 RnnplayStart call s:Start(<q-args>)
command! RnnplayStop call s:Stop()
