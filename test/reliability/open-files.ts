/** How many files a process may have open. */
import { execFileSync } from 'node:child_process'

/** `ulimit -Hn`: Node raises the soft limit to the hard one by itself. */
export function openFileLimit(): number {
  try {
    const text = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
    return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
  } catch {
    return 1024
  }
}
