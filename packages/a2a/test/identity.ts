/** A key and its address (spec a2a 3.2), and how a card is served: what tests of cards begin with. */
export const SEED = Uint8Array.from({ length: 32 }, (_, index) => index + 1)
export const ADDRESS = '9C6hybhQ6Aycep9jaUnP6uL9ZYvDjUp1aSkFWPUFJtpj'

export const SERVED = {
  url: 'https://a.example/a2a',
  versions: ['1.0', '0.3'],
  streaming: true,
  pushNotifications: false,
  extendedAgentCard: false,
  extensions: [],
} as const
