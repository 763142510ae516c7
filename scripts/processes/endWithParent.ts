// Preloaded into every child: a parent that dies without a word (SIGKILL) must not leave orphans.
import process from 'node:process'

/** How long a child may take to end by itself, in ms. */
const grace = 3_000

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), grace).unref()
  process.kill(process.pid, 'SIGTERM')
})
// The channel alone must not keep a child alive that has ended its work.
process.channel?.unref()
