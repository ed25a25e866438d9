/**
 * The page of the console as text: the same for everybody, without data, so nothing in it needs escaping. Its script
 * writes what the relay says as text nodes only. Nothing is loaded from anywhere but this relay.
 */
import { createHash } from 'node:crypto'
import { CONSOLE_SCRIPT } from './generated/script.js'
import { STYLE } from './style.js'

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; script-src ${hashOf(CONSOLE_SCRIPT)}; style-src ${hashOf(STYLE)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
}

const FIGURES = [
  ['accepted', 'accepted / s'],
  ['rejected', 'rejected / s'],
  ['connections', 'connections'],
  ['subscriptions', 'subscriptions'],
  ['pending', 'pending bytes'],
  ['queued', 'publishes queued'],
  ['commit', 'last commit'],
  ['stored', 'stored events'],
] as const

const figures = FIGURES.map(([id, label]) => `<div><dt>${label}</dt><dd id="${id}">–</dd></div>`).join('')

export const CONSOLE_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>Relay console</title><style>${STYLE}</style></head>
<body>
<header><h1 id="name">Relay console</h1><p id="status" role="status" aria-live="polite"></p><button id="leave" class="plain" type="button" hidden>Sign out</button></header>
<noscript><p class="card">This console needs scripts.</p></noscript>
<main id="login" hidden><form class="card" id="login-form"><h2>Admin token</h2><p class="soft">The token that the relay was started with. This tab keeps it until it is closed.</p><label>Token <input id="token" type="password" autocomplete="current-password" required minlength="16" maxlength="256" spellcheck="false"></label><button type="submit">Open the console</button><p id="login-note" role="alert"></p></form></main>
<main id="console" hidden>
<section class="card wide" aria-label="Figures"><dl class="figures">${figures}</dl><svg id="chart" viewBox="0 0 600 60" preserveAspectRatio="none" role="img" aria-label="Accepted and rejected events in the last minute"><path id="chart-accepted" class="good"/><path id="chart-rejected" class="bad"/></svg><p class="soft legend"><span class="good">accepted</span> <span class="bad">rejected</span> <span id="chart-peak"></span></p></section>
<section class="card tall" aria-labelledby="events-title"><div class="head"><h2 id="events-title">Events</h2><button id="pause" class="plain" type="button" aria-pressed="false">Pause</button></div>
<form id="filter" class="row"><label>Kind <input id="filter-kind" inputmode="numeric" placeholder="1, 10002" size="8"></label><label>Author <input id="filter-author" placeholder="hex, or its beginning" spellcheck="false" autocapitalize="off"></label><label>Tag <input id="filter-tag" placeholder="t=news" spellcheck="false" autocapitalize="off"></label><button type="submit">Filter</button><button type="reset" class="plain">Clear</button></form>
<p id="events-note" class="soft" role="status"></p><ol id="events" class="scroll" tabindex="0"></ol></section>
<section class="card"><h2>Connections <span id="connections-total" class="count"></span></h2><div class="scroll" tabindex="0"><table id="connection-list"><thead><tr><th>Id</th><th>Address</th><th>Surface</th><th class="number">Pending</th><th class="number">Subs</th><th class="number">Age</th></tr></thead><tbody></tbody></table></div></section>
<section class="card"><h2>Subscriptions <span id="subscriptions-total" class="count"></span></h2><div class="scroll" tabindex="0"><table id="subscription-list"><thead><tr><th>Peer</th><th>Id</th><th>Filters</th></tr></thead><tbody></tbody></table></div></section>
<section class="card"><h2>Verdicts</h2><table id="verdicts"><tbody></tbody></table></section>
<section class="card"><h2>Agents <span id="agents-total" class="count"></span></h2><ul id="agents" class="scroll" tabindex="0"></ul></section>
<section class="card"><h2>Send a test event</h2><form id="send"><p class="soft">Signed in this page, by <code id="send-key"></code>, a key that is forgotten when the page is left.</p><div class="row"><label>Kind <input id="send-kind" inputmode="numeric" value="1" required size="6"></label><label>Tag <input id="send-tag" placeholder="t=test" spellcheck="false" autocapitalize="off"></label></div><label>Content <textarea id="send-content" rows="2">Hello from the console</textarea></label><button type="submit">Sign and send</button><p id="send-note" role="status" aria-live="polite"></p></form></section>
</main>
<script type="module">${CONSOLE_SCRIPT}</script>
</body></html>
`

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
