import { expect, test } from 'vitest'
import { firstLine, visibleText } from './visibleText.ts'

test.each([
  ['plain text, ümläuts, 漢字, עברית and 1 < 2 & <b>', 'plain text, ümläuts, 漢字, עברית and 1 < 2 & <b>'],
  ['a\u202eb', 'a⟨U+202E⟩b'],
  ['a\u2066b\u2069', 'a⟨U+2066⟩b⟨U+2069⟩'],
  ['ze\u200bro', 'ze⟨U+200B⟩ro'],
  ['\ufeffx\u00adx', '⟨U+FEFF⟩x⟨U+00AD⟩x'],
  ['tag\u{e0041}', 'tag⟨U+E0041⟩'],
  ['\u3164', '⟨U+3164⟩'],
  ['bell\u0007', 'bell⟨U+0007⟩'],
  ['carriage\rreturn', 'carriage⟨U+000D⟩return'],
  ['lines\r\nof\n\ttext', 'lines\nof\n\ttext'],
  ['separator\u2028', 'separator⟨U+2028⟩'],
])('%j is shown as %j', (text, shown) => {
  expect(visibleText(text)).toBe(shown)
})

test('the first line, cut between characters', () => {
  expect(firstLine('\n one\ntwo', 10)).toBe('one')
  expect(firstLine('😀😀😀😀', 3)).toBe('😀😀…')
  expect(firstLine('', 3)).toBe('')
})
