/** An A2A agent card for people. */
import type { AgentCard, AgentSkill } from '@aetherkit/a2a/client'
import { isOfCard } from './agent-target.js'
import type { Session } from './session.js'
import { visible } from './visible.js'

/** `cardUrl`: where it was found. */
export function cardText({ paint }: Session, card: AgentCard, cardUrl: string | undefined): string {
  const { name, version, description, provider, capabilities, skills, signatures = [] } = card
  const dim = (label: string, text: string | undefined) =>
    text === undefined || text === '' ? [] : [paint('dim', `  ${label.padEnd(11)}${visible(text)}`)]
  const can = [
    ...(capabilities.streaming === true ? ['streaming'] : []),
    ...(capabilities.pushNotifications === true ? ['push notifications'] : []),
    ...(capabilities.extendedAgentCard === true ? ['extended card'] : []),
  ]
  const interfaces = card.supportedInterfaces.flatMap(({ url, protocolBinding, protocolVersion }) =>
    dim(
      'interface',
      `${protocolVersion} ${protocolBinding}  ${url}${isOfCard(url, cardUrl) ? '' : '  (another origin)'}`,
    ),
  )
  return [
    [paint('bold', visible(name)), visible(version), visible(description)]
      .filter((each) => each !== '')
      .join('  '),
    ...dim('card', cardUrl),
    ...dim('provider', provider && `${provider.organization}  ${provider.url}`),
    ...dim('docs', card.documentationUrl),
    ...interfaces,
    ...dim('can', can.join(', ')),
    ...(capabilities.extensions ?? []).flatMap(({ uri, required }) =>
      dim('extension', `${uri}${required === true ? '  (required)' : ''}`),
    ),
    ...dim('callers', Object.keys(card.securitySchemes ?? {}).join(', ')),
    ...dim('takes', card.defaultInputModes.join(', ')),
    ...dim('gives', card.defaultOutputModes.join(', ')),
    ...dim('signed', signatures.length === 0 ? undefined : 'yes (not verified here)'),
    ...skills.flatMap((skill) => skillText(paint, skill)),
  ].join('\n')
}

function skillText(
  paint: Session['paint'],
  { id, name, description, tags, examples = [] }: AgentSkill,
): string[] {
  const title = name === id || name === '' ? '' : `  ${visible(name)}`
  const about = description === '' ? '' : `  ${visible(description)}`
  const labels = tags.length === 0 ? '' : paint('dim', `  [${visible(tags.join(', '))}]`)
  return [
    `  ${paint('green', visible(id))}${title}${about}${labels}`,
    ...examples.slice(0, 5).map((text) => paint('dim', `      ${visible(text)}`)),
  ]
}
