/** The list of events: the newest on top, stored ones below the live ones that came before them. */
import type { EventsMessage, ShownEvent } from '../console-data.js'
import { byId, el, foreign, link, setText } from './dom.js'
import { formatBytes, formatCount, formatTime, readTag, shortKey } from './format.js'

/** Rows that are kept. */
const MAX_ROWS = 200

const input = (name: string) => byId<HTMLInputElement>(`filter-${name}`)

export class EventList {
  readonly #list = byId('events')
  readonly #onFilter: () => void
  #skipped = 0
  #paused = false

  /** `onFilter`: the user asks for other events. */
  constructor(onFilter: () => void) {
    this.#onFilter = onFilter
    const pause = byId('pause')
    pause.addEventListener('click', () => {
      this.#paused = !this.#paused
      pause.setAttribute('aria-pressed', String(this.#paused))
      this.#tell()
    })
    const form = byId('filter')
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      onFilter()
    })
    // The fields are empty when the turn is over.
    form.addEventListener('reset', () => setTimeout(onFilter))
  }

  /** The filter as a query string. */
  get query(): string {
    const search = new URLSearchParams()
    const kinds = input('kind').value.replace(/\s+/g, '').replace(/,+$/, '')
    const author = input('author').value.trim().toLowerCase()
    const tag = readTag(input('tag').value)
    if (kinds !== '') search.set('kinds', kinds)
    if (author !== '') search.set('authors', author)
    if (tag !== undefined) search.set(`#${tag[0]}`, tag[1])
    return search.toString()
  }

  clear(): void {
    this.#list.replaceChildren()
    this.#skipped = 0
    this.#tell()
  }

  add({ events, skipped }: EventsMessage): void {
    this.#skipped += this.#paused ? events.length + skipped : skipped
    if (!this.#paused) {
      const stored = events.filter((event) => event.stored).map((event) => this.#row(event))
      const live = events.filter((event) => !event.stored).map((event) => this.#row(event))
      this.#list.prepend(...live.reverse())
      this.#list.append(...stored)
      while (this.#list.childElementCount > MAX_ROWS) this.#list.lastElementChild?.remove()
    }
    this.#tell()
  }

  /** In place of events. */
  say(text: string): void {
    setText('events-note', text)
  }

  #tell(): void {
    const why = this.#paused ? 'Paused: ' : ''
    const skipped = this.#skipped === 0 ? '' : `${formatCount(this.#skipped)} events were not shown.`
    if (why + skipped !== '') this.say(why + (skipped || 'new events are not shown.'))
    else this.say(this.#list.childElementCount === 0 ? 'No events yet.' : '')
  }

  #ask(name: 'kind' | 'author' | 'tag', value: string): void {
    input(name).value = value
    this.#onFilter()
  }

  #row(event: ShownEvent): HTMLElement {
    const { pubkey, kind, tags } = event
    const time = el('time', '', formatTime(event.created_at))
    const head = el(
      'div',
      'line',
      el(
        'span',
        'kind',
        link(`kind ${kind}`, 'Only this kind', () => this.#ask('kind', String(kind))),
      ),
    )
    head.append(link(shortKey(pubkey), `Only this author: ${pubkey}`, () => this.#ask('author', pubkey)))
    if (event.nostr) head.append(el('span', 'tag', 'nostr'))
    if (event.stored) head.append(el('span', 'tag', 'stored'))
    head.append(time)
    const row = el('li', '', head, contentOf(event))
    row.title = `id ${event.id}\nseq ${event.seq}, ${event.content_bytes} bytes of content`
    row.dataset.id = event.id
    if (tags.length === 0) return row
    const shown = tags.map(([key = '', ...values]) => {
      const [value = ''] = values
      const text = `${key}=${values.join(', ')}`
      const button = link(text.length > 60 ? `${text.slice(0, 59)}…` : text, 'Only this tag', () =>
        this.#ask('tag', `${key}=${value}`),
      )
      return el('span', 'tag', el('bdi', '', button))
    })
    if (event.more_tags > 0) shown.push(el('span', 'tag', `${event.more_tags} more`))
    row.append(el('div', 'tags', ...shown))
    return row
  }
}

function contentOf({ form, content, content_bytes }: ShownEvent): HTMLElement {
  if (content_bytes === 0) return el('p', 'text quiet', 'no content')
  if (form === 'text') return el('p', 'text', foreign(content))
  const what = form === 'sealed' ? 'sealed for its recipient' : 'not text'
  return el('p', 'text quiet', `${formatBytes(content_bytes)}, ${what}`)
}
