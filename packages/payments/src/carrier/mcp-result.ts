/**
 * Payments over MCP (spec payments 14): the payment in `params._meta["x402/payment"]`, the receipt in
 * `result._meta["x402/payment-response"]`, and an offer as an error result, structured and as JSON text.
 */
import { type JsonObject, parseJson } from '@aetherkit/core'

export const MCP_PAYMENT = 'x402/payment'
export const MCP_RECEIPT = 'x402/payment-response'

/** What is used of the result of a tool call, as every MCP library has it. */
export interface McpResult {
  content: { type: string; [member: string]: unknown }[]
  structuredContent?: unknown
  isError?: boolean | undefined
  _meta?: Record<string, unknown> | undefined
  [member: string]: unknown
}

export type JsonRecord = Readonly<Record<string, unknown>>

/** JSON-RPC errors that carry an offer: of the first texts of this carrier, and of URL elicitation. */
const OFFER_ERRORS = [402, -32042]

/** What a tool is called as a resource. */
export function toolUrl(name: string): string {
  return `mcp://tool/${name}`
}

/** An error result, in both forms that readers look for. */
export function errorResult(body: JsonRecord, receipt: unknown): McpResult {
  return withReceipt(
    {
      isError: true,
      structuredContent: { ...body },
      content: [{ type: 'text', text: JSON.stringify(body) }],
    },
    receipt,
  )
}

export function withReceipt(result: McpResult, receipt: unknown): McpResult {
  return receipt === undefined ? result : { ...result, _meta: { ...result._meta, [MCP_RECEIPT]: receipt } }
}

/** The JSON object that an error result says: structured, in its metadata, or as text; also inside `x402/error`. */
export function wordsOf(result: McpResult): readonly JsonRecord[] {
  if (result.isError !== true) return []
  const [first] = result.content
  const text = first?.type === 'text' && typeof first.text === 'string' ? parseText(first.text) : undefined
  return [result.structuredContent, result._meta, text].flatMap(opened)
}

/** The offer among the words of a result, of any version. */
export function offerIn(words: readonly JsonRecord[]): JsonRecord | undefined {
  return words.find(({ accepts, x402Version }) => Array.isArray(accepts) && typeof x402Version === 'number')
}

/** The offer in a JSON-RPC error, as some servers send it. */
export function offerInError(error: unknown): JsonRecord | undefined {
  if (!isRecord(error) || !OFFER_ERRORS.includes(Number(error.code))) return undefined
  const { data } = error
  return offerIn([...opened(data), ...(isRecord(data) ? opened(data.x402) : [])])
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON whose members are in order, so that equal arguments give equal bytes; a decoded bigint counts as its digits. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value ?? null, (_name, item: unknown) => {
    if (typeof item === 'bigint') return item.toString()
    return isRecord(item) ? Object.fromEntries(Object.entries(item).sort(byName)) : item
  })
}

function opened(value: unknown): JsonRecord[] {
  if (!isRecord(value)) return []
  const inner = value['x402/error']
  return [value, ...(isRecord(inner) ? [inner, ...opened(inner.data)] : [])]
}

function parseText(text: string): JsonObject | undefined {
  const parsed = parseJson(text)
  return parsed.ok && isRecord(parsed.value) ? JSON.parse(text) : undefined
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
