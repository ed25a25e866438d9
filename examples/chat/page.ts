/** The page: `useChat` over a relay. The key in the browser is the user; the same key finds the same chat again. */
import { AetherChatTransport, type UiMessage } from '@aetherkit/ai-sdk/chat'
import { connect, localSigner } from '@aetherkit/client'
import { fromHex, generateSecretKey, toHex } from '@aetherkit/core'
import { useChat } from '@ai-sdk/react'
import {
  getToolName,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  type UIMessage,
  type UIMessagePart,
} from 'ai'
import { createElement as h, useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'

interface Config {
  readonly relay: string
  readonly agent: string
  readonly name: string
}

function remembered(name: string, make: () => string): string {
  const value = localStorage.getItem(name) ?? make()
  localStorage.setItem(name, value)
  return value
}

const IDEAS = ['What is special about you?', 'Book a table for two at eight']

function Chat({ id, config, transport, history }: ChatProps) {
  const { messages, sendMessage, status, stop, error, regenerate, addToolApprovalResponse } = useChat({
    id,
    transport,
    messages: history,
    resume: true,
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
  })
  const [text, setText] = useState('')
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' })
  })
  const isBusy = status === 'submitted' || status === 'streaming'
  const send = (words: string) => {
    if (words.trim() === '' || isBusy) return
    setText('')
    void sendMessage({ text: words })
  }
  const newChat = () => {
    localStorage.removeItem('chat')
    location.reload()
  }
  return h(
    'main',
    { 'data-status': status },
    h(
      'header',
      null,
      h('div', { className: 'face' }, config.name.slice(0, 1)),
      h(
        'div',
        { className: 'who' },
        h('h1', null, config.name),
        h('code', null, `aether:${config.agent.slice(0, 16)}…`),
      ),
      h('span', { className: 'sealed', title: 'End to end: the relay sees keys, sizes and times' }, 'sealed'),
      h('button', { type: 'button', className: 'quiet', onClick: newChat }, 'New chat'),
    ),
    h(
      'section',
      { className: 'messages', 'aria-live': 'polite' },
      messages.length === 0 &&
        h(
          'div',
          { className: 'empty' },
          h('p', null, 'Say something, then reload in the middle of the answer.'),
          ...IDEAS.map((idea) => h('button', { type: 'button', key: idea, onClick: () => send(idea) }, idea)),
        ),
      ...messages.map((message) =>
        h(
          'article',
          { key: message.id, className: message.role, 'data-role': message.role },
          ...message.parts.map((part, at) => partOf(part, at, addToolApprovalResponse)),
        ),
      ),
      status === 'submitted' && h('article', { className: 'assistant waiting' }, h('i'), h('i'), h('i')),
      error !== undefined &&
        h(
          'div',
          { className: 'error', role: 'alert' },
          error.message,
          h('button', { type: 'button', onClick: () => regenerate() }, 'Try again'),
        ),
      h('div', { ref: end }),
    ),
    h(
      'form',
      {
        onSubmit: (event: { preventDefault(): void }) => {
          event.preventDefault()
          send(text)
        },
      },
      h('input', {
        value: text,
        placeholder: 'Message',
        'aria-label': 'Message',
        autoFocus: true,
        onChange: (event: { target: { value: string } }) => setText(event.target.value),
      }),
      isBusy
        ? h('button', { type: 'button', className: 'stop', onClick: () => stop() }, 'Stop')
        : h('button', { type: 'submit', disabled: text.trim() === '' }, 'Send'),
    ),
  )
}

type Answer = ReturnType<typeof useChat>['addToolApprovalResponse']

function partOf(part: UIMessagePart<never, never> | UIMessage['parts'][number], key: number, answer: Answer) {
  if (part.type === 'text') return h('p', { key }, part.text)
  if (!isToolUIPart(part)) return null
  const { state, approval, input } = part
  const facts = Object.entries((input ?? {}) as object).map(([name, value]) => `${name}: ${String(value)}`)
  const decide = (approved: boolean) => () => void answer({ id: approval?.id ?? '', approved })
  return h(
    'div',
    { key, className: 'tool', 'data-state': state },
    h('strong', null, getToolName(part).replaceAll('_', ' ')),
    h('span', null, facts.join(' · ')),
    state === 'approval-requested'
      ? h(
          'div',
          { className: 'choice' },
          h('button', { type: 'button', onClick: decide(true) }, 'Approve'),
          h('button', { type: 'button', className: 'quiet', onClick: decide(false) }, 'Deny'),
        )
      : h('em', null, STATES[state] ?? '…'),
  )
}

const STATES: Record<string, string> = {
  'output-available': 'done',
  'output-error': 'failed',
  'output-denied': 'denied',
  'approval-responded': 'working…',
}

interface ChatProps {
  readonly id: string
  readonly config: Config
  readonly transport: AetherChatTransport
  readonly history: UIMessage[]
}

async function start(): Promise<void> {
  const root = createRoot(document.getElementById('root') ?? document.body)
  try {
    const config: Config = await (await fetch('config.json')).json()
    const secret = remembered('key', () => toHex(generateSecretKey()))
    const id = remembered('chat', () => crypto.randomUUID())
    const client = await connect(config.relay, { signer: localSigner(fromHex(secret)) })
    const transport = new AetherChatTransport({ client, agent: config.agent })
    const history: UiMessage[] = await transport.history(id)
    root.render(h(Chat, { id, config, transport, history: history as UIMessage[] }))
  } catch (error) {
    root.render(h('main', null, h('div', { className: 'error', role: 'alert' }, String(error))))
  }
}

void start()
