/** The console: asks for the token, then shows the relay as its stream tells it. */
import type { Agent, ConsoleState, EventsMessage } from '../console-data.js'
import { byId, note } from './dom.js'
import { EventList } from './events.js'
import { readFeed } from './feed.js'
import { setUpSending } from './send.js'
import { showAgents, showState } from './state.js'

const KEY = 'aether-admin-token'
const RETRY_MS = 2000
const UNAUTHORIZED = 401
const BAD_REQUEST = 400

let reading = new AbortController()
let retry: ReturnType<typeof setTimeout> | undefined

const events = new EventList(() => open())
setUpSending()
byId('login-form').addEventListener('submit', (event) => {
  event.preventDefault()
  const field = byId<HTMLInputElement>('token')
  sessionStorage.setItem(KEY, field.value)
  field.value = ''
  open()
})
byId('leave').addEventListener('click', () => leave(''))
open()

/** Begins to read, with the token of this tab and the filter as it stands. */
function open(): void {
  reading.abort()
  clearTimeout(retry)
  const token = sessionStorage.getItem(KEY)
  if (token === null) {
    leave('')
    return
  }
  reading = new AbortController()
  const { signal } = reading
  events.clear()
  note('status', 'connecting')
  const { query } = events
  void readFeed(`v1/console/stream${query === '' ? '' : `?${query}`}`, token, signal, {
    opened() {
      note('status', 'live', 'good')
      note('login-note', '')
      show(true)
    },
    message,
    ended({ status, message = '' }) {
      if (status === UNAUTHORIZED) leave('This is not the admin token of this relay.')
      else if (status === BAD_REQUEST) events.say(`No such filter: ${message}`)
      else {
        note('status', message === '' ? 'connection lost, trying again' : message, 'bad')
        retry = setTimeout(open, RETRY_MS)
      }
    },
  })
}

function message(event: string, data: string): void {
  const value: unknown = JSON.parse(data)
  if (event === 'state') showState(value as ConsoleState)
  else if (event === 'agents') showAgents(value as readonly Agent[])
  else if (event === 'events') events.add(value as EventsMessage)
  else if (event === 'closed') events.say(`The relay ended it: ${(value as { message: string }).message}`)
}

function leave(why: string): void {
  reading.abort()
  clearTimeout(retry)
  sessionStorage.removeItem(KEY)
  note('status', '')
  note('login-note', why, 'bad')
  show(false)
}

function show(isOpen: boolean): void {
  byId('login').hidden = isOpen
  byId('console').hidden = !isOpen
  byId('leave').hidden = !isOpen
  if (!isOpen) byId<HTMLInputElement>('token').focus()
}
