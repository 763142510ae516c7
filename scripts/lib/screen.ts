import type { WriteStream } from 'node:tty'

/** A block of lines at the end of a terminal that is drawn anew in place. */
export type Screen = {
  draw(lines: readonly string[]): void
  /** Leaves the last lines standing. */
  close(): void
}

export function createScreen(out: WriteStream): Screen {
  let height = 0
  out.write('\u001b[?25l')
  return {
    draw(lines) {
      // What is taller than the terminal cannot be redrawn in place: the top is left out, and said so.
      const room = Math.max(3, out.rows - 1)
      const fitting =
        lines.length <= room ? lines : [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more`]
      const up = height > 0 ? `\u001b[${height}A` : ''
      out.write(`${up}${fitting.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[0J`)
      height = fitting.length
    },
    close() {
      out.write('\u001b[?25h')
    },
  }
}
