/** How the page looks: one column, system fonts, light and dark, nothing loaded from anywhere. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#16181d;--soft:#5b6270;--line:#e3e6ec;--paper:#fff;--ground:#f3f5f8;--accent:#3b4fd8;--on:#fff;--good:#17774a;--bad:#b3261e;--test:#8a5a00;--testbg:#fff3d6}
@media(prefers-color-scheme:dark){:root{--ink:#eceef3;--soft:#a0a8b8;--line:#2c313c;--paper:#191c23;--ground:#0f1116;--accent:#8b9bff;--on:#10131c;--good:#5fd39a;--bad:#ff9a91;--test:#ffd37a;--testbg:#352a10}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:34rem;margin:0 auto;padding:clamp(1rem,6vh,4.5rem) 1rem 2rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:1rem;padding:clamp(1.25rem,5vw,2.25rem);box-shadow:0 1px 2px #0000000a,0 12px 32px #0000000d}
.host{margin:0 0 .25rem;color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
h1{margin:0;font-size:1.375rem;line-height:1.3;overflow-wrap:anywhere;text-wrap:balance}
.price{display:flex;align-items:baseline;gap:.5rem;flex-wrap:wrap;margin:1.25rem 0 0;font-size:2.5rem;font-weight:650;line-height:1.1;letter-spacing:-.02em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.price small{font-size:1.125rem;font-weight:500;letter-spacing:0;color:var(--soft)}
dl{display:grid;grid-template-columns:6.5rem 1fr;gap:.625rem 1rem;margin:1.5rem 0;padding:1.25rem 0;border:solid var(--line);border-width:1px 0;font-size:.9375rem}
dt{color:var(--soft)}dd{margin:0;min-width:0;overflow-wrap:anywhere}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
code b{display:inline-block;font-weight:400}
.test{display:inline-block;padding:0 .5rem;border-radius:1rem;background:var(--testbg);color:var(--test);font-size:.8125rem;white-space:nowrap}
fieldset{border:0;margin:1.25rem 0 0;padding:0}legend{padding:0;color:var(--soft);font-size:.875rem}
fieldset label{display:flex;gap:.625rem;align-items:center;margin-top:.5rem;padding:.625rem .875rem;border:1px solid var(--line);border-radius:.625rem;font-size:1.125rem;font-weight:600;cursor:pointer;overflow-wrap:anywhere}
fieldset label:has(:checked){border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent)}
input{accent-color:var(--accent);width:1.125rem;height:1.125rem;flex:none;margin:0}
h2{margin:0 0 .375rem;font-size:.9375rem}
ol{margin:0;padding-left:1.25rem;color:var(--soft);font-size:.9375rem}ol li{margin:.25rem 0}
#wallets{display:grid;gap:.625rem;margin-top:1.5rem}#wallets:empty{display:none}
button,.button{display:flex;align-items:center;justify-content:center;gap:.625rem;width:100%;min-height:3.25rem;padding:.5rem 1rem;border:0;border-radius:.75rem;background:var(--accent);color:var(--on);font:inherit;font-weight:600;cursor:pointer;text-decoration:none}
button:hover:enabled,.button:hover{filter:brightness(1.08)}button:disabled{opacity:.55;cursor:default}
button:focus-visible,.button:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button img{width:1.5rem;height:1.5rem;border-radius:.375rem}button img:not([src]){display:none}
#none,.note{margin:1.5rem 0 0;padding:.875rem 1rem;border-radius:.75rem;background:var(--ground);font-size:.9375rem;overflow-wrap:anywhere}
.note{margin:1.25rem 0 0;border-left:4px solid var(--bad)}.note.wait{border-color:var(--accent)}.note p{margin:0}.note p+p{margin-top:.375rem}
#status{min-height:1.5rem;margin:.875rem 0 0;text-align:center;font-size:.9375rem;color:var(--soft);overflow-wrap:anywhere}
#status[data-tone=good]{color:var(--good)}#status[data-tone=bad]{color:var(--bad)}
.card>p:last-child{margin-bottom:0}
details{margin-top:.25rem;color:var(--soft);font-size:.875rem}summary{cursor:pointer;padding:.375rem 0}details p{margin:.375rem 0}
@media(max-width:26rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.75rem}dd:last-child{margin:0}.price{font-size:2.125rem}}
@media(prefers-reduced-motion:no-preference){button{transition:filter .15s}}
`.trim()
