/** What `startDevnet` and the binary can fail with. Guard by `name` and `code`. */
export type DevnetErrorCode = 'platform_unsupported' | 'port_in_use'

export class DevnetError extends Error {
  override readonly name = 'DevnetError'
  readonly code: DevnetErrorCode

  constructor(code: DevnetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
