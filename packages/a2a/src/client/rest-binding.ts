/** HTTP+JSON of 1.0 (spec a2a 2.1): every operation at its path, results and events bare. */
import type { Json, JsonRecord } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import { type Binding, type CallOptions, unnumber } from './binding.js'
import { checkEvent } from './check.js'
import { invalidAnswer } from './errors.js'
import type { HttpCall, HttpLink } from './http-link.js'
import { readEvents, resumeHeader } from './http-wire.js'
import { readHttpError } from './read-error.js'

interface Shape {
  readonly method: HttpCall['method']
  readonly path: string
  /** The rest of the params: in the query of a GET, in the body of a POST. */
  readonly rest: JsonRecord
}

const segment = (value: Json | undefined): string => encodeURIComponent(String(value ?? ''))

/** As `a2a.proto` has it: SubscribeToTask is a GET there. */
const SHAPES: Readonly<Record<OperationName, (params: JsonRecord) => Shape>> = {
  SendMessage: (rest) => ({ method: 'POST', path: '/message:send', rest }),
  SendStreamingMessage: (rest) => ({ method: 'POST', path: '/message:stream', rest }),
  GetTask: ({ id, ...rest }) => ({ method: 'GET', path: `/tasks/${segment(id)}`, rest }),
  ListTasks: (rest) => ({ method: 'GET', path: '/tasks', rest }),
  CancelTask: ({ id, ...rest }) => ({ method: 'POST', path: `/tasks/${segment(id)}:cancel`, rest }),
  SubscribeToTask: ({ id }) => ({ method: 'GET', path: `/tasks/${segment(id)}:subscribe`, rest: {} }),
  CreateTaskPushNotificationConfig: ({ taskId, ...rest }) => ({
    method: 'POST',
    path: `/tasks/${segment(taskId)}/pushNotificationConfigs`,
    rest,
  }),
  GetTaskPushNotificationConfig: ({ taskId, id }) => ({
    method: 'GET',
    path: configPath(taskId, id),
    rest: {},
  }),
  ListTaskPushNotificationConfigs: ({ taskId, ...rest }) => ({
    method: 'GET',
    path: `/tasks/${segment(taskId)}/pushNotificationConfigs`,
    rest,
  }),
  DeleteTaskPushNotificationConfig: ({ taskId, id }) => ({
    method: 'DELETE',
    path: configPath(taskId, id),
    rest: {},
  }),
  GetExtendedAgentCard: () => ({ method: 'GET', path: '/extendedAgentCard', rest: {} }),
}

const configPath = (taskId: Json | undefined, id: Json | undefined): string =>
  `/tasks/${segment(taskId)}/pushNotificationConfigs/${segment(id)}`

export function restBinding(
  link: HttpLink,
  { url, name, tenant }: Pick<Binding, 'url' | 'name'> & { readonly tenant: string | undefined },
  headers: Readonly<Record<string, string>>,
): Binding {
  const base = url.replace(/\/+$/, '') + (tenant === undefined ? '' : `/${segment(tenant)}`)
  const callOf = (
    operation: OperationName,
    params: JsonRecord,
    options: CallOptions,
    accept: string,
  ): HttpCall => {
    const { method, path, rest } = SHAPES[operation](params)
    const query = method === 'GET' ? queryOf(rest) : ''
    return {
      url: `${base}${path}${query}`,
      method,
      headers: {
        accept,
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...headers,
        ...resumeHeader(options),
        ...options.headers,
      },
      ...(method === 'POST' && { body: JSON.stringify(rest) }),
      signal: options.signal,
      operation,
    }
  }
  return {
    url,
    name,
    version: '1.0',
    call: (operation, params, options) =>
      link.json(callOf(operation, params, options, 'application/a2a+json, application/json')),
    async *stream(operation, params, options) {
      const response = await link.open(
        callOf(operation, params, options, 'text/event-stream, application/json'),
      )
      for await (const { envelope, id, head, isError } of readEvents(response, link.maxBytes, options)) {
        if (isRecord(envelope) && isRecord(envelope.error))
          throw readHttpError(envelope, { ...head, status: 500, header: () => undefined }, operation)
        if (isError === true) throw invalidAnswer('the stream broke off with an error that says nothing')
        yield unnumber(checkEvent(envelope), id)
      }
    },
    close() {},
  }
}

function queryOf(params: JsonRecord): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value))
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
