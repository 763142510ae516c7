/**
 * Text of others (a kill's text, a relayer's answer) as it may be shown: a terminal obeys control characters, so none
 * pass; neither do the marks that turn the direction of writing.
 */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu,
    (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`,
  )
