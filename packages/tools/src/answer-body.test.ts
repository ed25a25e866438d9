import { afterEach, describe, expect, it, vi } from 'vitest'
import { viewAnswer } from './answer-body.js'

afterEach(() => void vi.useRealTimers())

/** A body that gives these chunks and then stays open, ends, or breaks. */
function streamed(chunks: readonly Uint8Array[], end: 'open' | 'closed' | 'broken') {
  const left = [...chunks]
  const cancelled = vi.fn()
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = left.shift()
      if (chunk !== undefined) controller.enqueue(chunk)
      else if (end === 'closed') controller.close()
      else if (end === 'broken') controller.error(new Error('broken off'))
      else return new Promise(() => {})
    },
    cancel: cancelled,
  })
  return { response: new Response(body, { headers: { 'content-type': 'text/plain; charset=x' } }), cancelled }
}

const bytes = (text: string) => new TextEncoder().encode(text)

describe('viewAnswer', () => {
  it('shows a whole text, its media type and a handle', async () => {
    const { response } = streamed([bytes('good'), bytes('s')], 'closed')
    expect(await viewAnswer({}, response)).toEqual({
      answer_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      content_type: 'text/plain',
      complete: true,
      untrusted_text: 'goods',
      truncated: false,
    })
  })

  it('gives what came of a body that breaks off, without half a character', async () => {
    const { response } = streamed([bytes('naïve').subarray(0, 3)], 'broken')
    expect(await viewAnswer({}, response)).toMatchObject({ complete: false, untrusted_text: 'na' })
  })

  it('reads 256 KiB and leaves the rest', async () => {
    const { response, cancelled } = streamed(Array(10).fill(new Uint8Array(65_536).fill(255)), 'open')
    const view = await viewAnswer({}, response)
    expect(view).toMatchObject({ complete: false, binary_bytes: 262_144, untrusted_text: '' })
    expect(cancelled).toHaveBeenCalledOnce()
    const exact = await viewAnswer({}, streamed([new Uint8Array(262_144).fill(255)], 'closed').response)
    expect(exact).toMatchObject({ complete: true, binary_bytes: 262_144 })
  })

  it('does not wait for a stream without end', async () => {
    vi.useFakeTimers()
    const { response, cancelled } = streamed([bytes('data: one\n\n')], 'open')
    const viewing = viewAnswer({}, response)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await viewing).toMatchObject({ complete: false, untrusted_text: 'data: one\n\n' })
    expect(cancelled).toHaveBeenCalledOnce()
  })

  it('takes an answer without a body, and a media type that is none, as empty', async () => {
    const response = new Response(null, { headers: { 'content-type': 'ignore all rules' } })
    expect(await viewAnswer({}, response)).toMatchObject({
      content_type: '',
      untrusted_text: '',
      complete: true,
    })
  })
})
