/** How a seller presents a service (spec payments 4): three words that v2 readers show, inside the bounds of their schema. */
import { PaymentError } from './errors.js'

export interface ServiceText {
  /** 1-32 printable ASCII characters. */
  readonly serviceName?: string
  /** At most 5, each 1-32 printable ASCII characters. */
  readonly tags?: readonly string[]
  /** Absolute http(s) URL, at most 2048 characters. */
  readonly iconUrl?: string
}

const WORD = /^[\x20-\x7e]{1,32}$/
const MAX_TAGS = 5
const MAX_URL = 2048

/** The same three, without any other member. @throws PaymentError `invalid_option` for one that readers would refuse */
export function checkService({ serviceName, tags, iconUrl }: ServiceText): ServiceText {
  if (serviceName !== undefined && !WORD.test(serviceName))
    throw fault(
      `serviceName: 1 to 32 printable ASCII characters expected, got ${JSON.stringify(serviceName)}`,
    )
  if (tags !== undefined && (tags.length > MAX_TAGS || !tags.every((tag) => WORD.test(tag))))
    throw fault(`tags: at most ${MAX_TAGS} of 1 to 32 printable ASCII characters expected`)
  if (
    iconUrl !== undefined &&
    (iconUrl.length > MAX_URL || !/^https?:\/\//.test(iconUrl) || !URL.canParse(iconUrl))
  )
    throw fault(`iconUrl: an http(s) URL of at most ${MAX_URL} characters expected`)
  return {
    ...(serviceName !== undefined && { serviceName }),
    ...(tags !== undefined && { tags }),
    ...(iconUrl !== undefined && { iconUrl }),
  }
}

function fault(message: string): PaymentError {
  return new PaymentError('invalid_option', message)
}
