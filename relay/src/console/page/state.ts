/** Figures, tables and agents of the console. */
import type { Agent, ConsoleState, Rates } from '../console-data.js'
import { byId, el, foreign, setText } from './dom.js'
import { formatAge, formatBytes, formatCount, shortKey } from './format.js'

/** Seconds over which a rate is averaged. */
const WINDOW = 5
const [WIDTH, HEIGHT] = [600, 60]

export function showState(state: ConsoleState): void {
  const { rates, connections, subscriptions, counts } = state
  setText('name', state.name)
  setText('accepted', formatRate(rates.accepted))
  setText('rejected', formatRate(rates.rejected))
  setText('connections', formatCount(connections.total))
  setText('subscriptions', formatCount(subscriptions.total))
  setText('pending', formatBytes(state.outbox_bytes))
  setText('queued', formatCount(state.publishes))
  setText('commit', counts.commits === 0 ? '–' : formatMs(counts.commit_us))
  setText('stored', formatCount(state.stored.events))
  byId('stored').title = `${formatBytes(state.stored.bytes)}, seq ${state.seq}, epoch ${state.epoch}`
  setText('connections-total', bySurface(state.surfaces))
  setText('subscriptions-total', formatCount(subscriptions.total))
  showChart(rates)
  const rows = connections.rows.map((row) => {
    const surface = row.protocol === undefined ? row.surface : `${row.surface} ${row.protocol}`.trim()
    return [
      row.id,
      row.address,
      surface,
      formatBytes(row.pending_bytes),
      row.subscriptions,
      formatAge(row.age_seconds),
    ]
  })
  fill('connection-list', rows, connections.total, 3)
  fill(
    'subscription-list',
    subscriptions.rows.map(({ peer, id, filters, live }) => [
      ...[peer, id],
      live ? filters : `${filters} (reading what is stored)`,
    ]),
    subscriptions.total,
    3,
  )
  showVerdicts(state)
}

export function showAgents(agents: readonly Agent[]): void {
  setText('agents-total', formatCount(agents.length))
  const items = agents.map(({ pubkey, name, description, capabilities, amount_msat }) => {
    const head = el('div', 'line', name === '' ? el('span', 'quiet', 'no name') : el('b', '', foreign(name)))
    const key = el('code', '', shortKey(pubkey))
    key.title = pubkey
    head.append(key)
    if (amount_msat !== '')
      head.append(el('span', 'soft', amount_msat === '0' ? 'free' : `${amount_msat} msat`))
    const item = el('li', '', head)
    if (description !== '') item.append(el('p', 'text', foreign(description)))
    const tags = capabilities.map((each) => {
      const tag = el('span', 'tag', foreign(each.name))
      tag.title = each.description
      return tag
    })
    if (tags.length > 0) item.append(el('div', 'tags', ...tags))
    return item
  })
  byId('agents').replaceChildren(
    ...(items.length > 0 ? items : [el('li', 'quiet', 'None has said who it is.')]),
  )
}

function showVerdicts({ counts, uptime_seconds }: ConsoleState): void {
  const byCount = (table: Readonly<Record<string, number>>) =>
    Object.entries(table).sort(([, a], [, b]) => b - a)
  const rows: (readonly [string, string, number])[] = [
    ...byCount(counts.rejected).map(([code, count]) => ['refused', code, count] as const),
    ...byCount(counts.accepted).map(([status, count]) => ['accepted', status, count] as const),
  ]
  const others = { 'slow consumers cut': counts.slow_consumers, undeliverable: counts.undeliverable }
  const faults = { faults: counts.faults, 'store failures': counts.store_failures }
  for (const [name, count] of Object.entries({ ...others, ...faults }))
    if (count > 0) rows.push(['', name, count])
  const tone = { refused: 'bad', accepted: 'good' } as const
  const cells = rows.map(([verdict, name, count]) =>
    el(
      'tr',
      '',
      el('td', verdict === 'refused' ? tone.refused : verdict === 'accepted' ? tone.accepted : '', verdict),
      el('td', '', el('code', '', name)),
      el('td', 'number', formatCount(count)),
    ),
  )
  const since = `None in ${formatAge(uptime_seconds)}.`
  byId('verdicts')
    .querySelector('tbody')
    ?.replaceChildren(...(cells.length > 0 ? cells : [el('tr', '', el('td', 'quiet', since))]))
}

/** `total`: how many there are, shown or not. `numbers`: columns from this one on hold numbers. */
function fill(
  id: string,
  rows: readonly (readonly (string | number)[])[],
  total: number,
  numbers: number,
): void {
  const made = rows.map((cells) =>
    el('tr', '', ...cells.map((cell, i) => el('td', i >= numbers ? 'number' : '', foreign(String(cell))))),
  )
  if (total > rows.length) {
    const more = el('td', 'quiet', `and ${formatCount(total - rows.length)} more`)
    more.setAttribute('colspan', String(rows[0]?.length ?? 1))
    made.push(el('tr', '', more))
  }
  byId(id)
    .querySelector('tbody')
    ?.replaceChildren(...made)
}

function showChart({ accepted, rejected }: Rates): void {
  const peak = Math.max(1, ...accepted, ...rejected)
  const path = (rates: readonly number[]) =>
    rates
      .map((rate, i) => {
        const [x, y] = [(i * WIDTH) / (rates.length - 1), HEIGHT - 2 - (rate / peak) * (HEIGHT - 4)]
        return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
      })
      .join('')
  byId<SVGElement>('chart-accepted').setAttribute('d', path(accepted))
  byId<SVGElement>('chart-rejected').setAttribute('d', path(rejected))
  setText('chart-peak', `last minute, peak ${formatCount(Math.max(...accepted, ...rejected))} / s`)
}

function formatMs(microseconds: number): string {
  return microseconds < 50 ? '< 0.1 ms' : `${(microseconds / 1000).toFixed(1)} ms`
}

function formatRate(rates: readonly number[]): string {
  const last = rates.slice(-WINDOW)
  const rate = last.reduce((sum, each) => sum + each, 0) / last.length
  return rate === 0 || rate >= 10 ? formatCount(Math.round(rate)) : rate.toFixed(1)
}

/** Those that there are any of. */
function bySurface(surfaces: ConsoleState['surfaces']): string {
  return Object.entries(surfaces)
    .flatMap(([name, count]) => (count === 0 ? [] : [`${formatCount(count)} ${name}`]))
    .join(', ')
}
