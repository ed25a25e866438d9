/** The one function of sodium-native that the relay uses; the package ships no types. */
declare module 'sodium-native' {
  const sodium: {
    /** libsodium's verdict (spec 1.7): `sig` 64 bytes, `publicKey` 32 bytes, in `Buffer`s. */
    crypto_sign_verify_detached(sig: Buffer, message: Buffer, publicKey: Buffer): boolean
  }
  export default sodium
}
