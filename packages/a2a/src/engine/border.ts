/**
 * The border of the engine: what leaves it is an A2AError, anything else is told to `onError` and to nobody else (spec
 * a2a 7.11). A closed engine takes nothing.
 */
import { A2AError } from '../errors.js'
import { shuttingDown } from './lanes.js'

export interface BorderOptions {
  readonly report: (error: unknown) => void
  readonly isClosed: () => boolean
}

type Call<Args extends readonly unknown[], Value> = (...values: Args) => Promise<Value>
type Stream<Args extends readonly unknown[], Value> = (...values: Args) => AsyncIterable<Value>

export interface Border {
  call<Args extends readonly unknown[], Value>(inner: Call<Args, Value>): Call<Args, Value>
  stream<Args extends readonly unknown[], Value>(
    inner: Stream<Args, Value>,
  ): (...values: Args) => AsyncGenerator<Value, void>
}

export function createBorder({ report, isClosed }: BorderOptions): Border {
  const scrub = (error: unknown): A2AError => {
    if (A2AError.is(error)) return error
    if (isClosed()) return shuttingDown()
    report(error)
    return new A2AError('INTERNAL')
  }
  const assertOpen = (): void => {
    if (isClosed()) throw shuttingDown()
  }
  return {
    call:
      (inner) =>
      async (...values) => {
        assertOpen()
        try {
          return await inner(...values)
        } catch (error) {
          throw scrub(error)
        }
      },
    stream: (inner) =>
      async function* (...values) {
        assertOpen()
        try {
          yield* inner(...values)
        } catch (error) {
          throw scrub(error)
        }
      },
  }
}
