/** Elements of the page. Whatever came over the wire gets in as text nodes, never as markup. */

type Child = Node | string

/** The element of this id, which the page must have. */
export function byId<E extends Element = HTMLElement>(id: string): E {
  const element = document.querySelector<E>(`#${id}`)
  if (element === null) throw new Error(`no element #${id}`)
  return element
}

export function el(tag: string, className: string, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag)
  if (className !== '') element.className = className
  element.append(...children)
  return element
}

/** Text that others wrote: its direction does not reach beyond it. */
export function foreign(text: string, className = ''): HTMLElement {
  return el('bdi', className, text)
}

/** A button that looks like the text it holds. */
export function link(text: string, title: string, onClick: () => void): HTMLElement {
  const button = el('button', 'link', text)
  button.setAttribute('type', 'button')
  button.title = title
  button.addEventListener('click', onClick)
  return button
}

/** A line for the user; an empty text hides it. */
export function note(id: string, text: string, tone: 'good' | 'bad' | 'plain' = 'plain'): void {
  const element = byId(id)
  element.textContent = text
  element.dataset.tone = tone
}

export function setText(id: string, text: string): void {
  const element = byId(id)
  if (element.textContent !== text) element.textContent = text
}
