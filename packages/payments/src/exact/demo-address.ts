/** Addresses of the public demo keys of the local test chain (spec solana 14); a test holds them equal to its table. */
export const DEMO_ADDRESSES: readonly string[] = [
  'Eta2DnrhUHp4VMpxdkrTBzTCEC2863XCzzdqEzYtQobB',
  'FM5QVwArC4eNzhYshYLhbh8VmVCMNvsB9sRs6wxdZRak',
  'FsEViYJ6V1N1wD2RcpJmjE6q1NzoAatHdpHz8kB5GMW2',
  'ETJdFhMQdUdJm8a1bnjxMzMvRxQUxXvYvMjKG9vUojuY',
]
