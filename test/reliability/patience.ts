/** Waiting for what must come, so that a case ends with a reason where it does not. */

/** On a busy machine. */
const PATIENCE_MS = 120_000

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Resolves to whether it came true in so many milliseconds. */
export async function until(isTrue: () => boolean | Promise<boolean>, most = PATIENCE_MS): Promise<boolean> {
  const end = performance.now() + most
  while (!(await isTrue())) {
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}
