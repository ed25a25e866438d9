/** The stream of the console, read with `fetch`: an `EventSource` could not show the token. */

export interface FeedTarget {
  /** The stream is open. */
  opened(): void
  message(event: string, data: string): void
  /** It is over: refused with a status and a text, ended by the relay, or lost. */
  ended(why: { readonly status?: number; readonly message?: string }): void
}

/** Reads until it ends or `signal` aborts; then `ended` is not called. Never rejects. */
export async function readFeed(
  url: string,
  token: string,
  signal: AbortSignal,
  target: FeedTarget,
): Promise<void> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      cache: 'no-store',
      signal,
    })
    if (!response.ok || response.body === null) {
      target.ended({ status: response.status, message: await messageOf(response) })
      return
    }
    target.opened()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (signal.aborted) return
      if (done) break
      const blocks = (text + value).split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) take(block, target)
    }
    target.ended({})
  } catch {
    if (!signal.aborted) target.ended({})
  }
}

function take(block: string, target: FeedTarget): void {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2)
  const event = field('event')
  if (event !== undefined) target.message(event, field('data') ?? '')
}

/** What the relay says of a refusal; empty when it says nothing that can be read. */
async function messageOf(response: Response): Promise<string> {
  try {
    const { message, detail } = await response.json()
    return [message, detail].filter((text) => typeof text === 'string').join(': ')
  } catch {
    return ''
  }
}
