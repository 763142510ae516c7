/**
 * Characters that change how others are shown, or show nothing themselves: controls but line feed and tab, directions
 * (Trojan Source, CVE-2021-42574), joiners and spaces of no width, tags, variations, what no standard has assigned.
 */
const hidden = /(?![\n\t])(?:\p{C}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}|\u2800)/gu

/** A stranger's text with every character visible: hidden ones by their number, as `⟨U+202E⟩`. */
export const visibleText = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(hidden, (one) => `⟨U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`)

/** Its first line, at most so many characters. */
export function firstLine(text: string, most: number): string {
  const line = visibleText(text).trim().split('\n', 1)[0] ?? ''
  const characters = [...line]
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`
}
