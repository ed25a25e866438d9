/**
 * `bazaar` (spec payments 13), declared only: what a route takes and gives, for catalogues that index what is settled.
 * The method is filled in for each request; the output always validates against the schema beside it.
 */
import { PaymentError } from '../errors.js'
import type { GateExtension } from '../gate.js'
import type { Json } from '../requirement.js'
import { boundMethod } from '../terms.js'

type Members = Readonly<Record<string, Json>>

/** JSON Schema members (2020-12) of an object: `properties`, `required`. */
type ObjectSchema = Members

export interface DiscoveryOptions {
  /** An example of the query, for methods without a body. */
  readonly queryParams?: Members
  readonly querySchema?: ObjectSchema
  /** With a body type the route takes a body: an example and its schema. */
  readonly bodyType?: 'json' | 'form-data' | 'text'
  readonly body?: Json
  readonly bodySchema?: ObjectSchema
  readonly pathParams?: Members
  readonly pathSchema?: ObjectSchema
  /** `/users/:id` */
  readonly routeTemplate?: string
  readonly output?: { readonly example: Json; readonly schema?: ObjectSchema }
}

const BAZAAR = 'bazaar'
const WITHOUT_BODY = ['GET', 'HEAD', 'DELETE']
const WITH_BODY = ['POST', 'PUT', 'PATCH']
const ROUTE = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=@-]|:[A-Za-z_]\w*|%[0-9A-Fa-f]{2}|\/)*$/

/** Whether a pattern can be declared: a path with `:name` for segments that are any. */
export function isRouteTemplate(pattern: string): boolean {
  return ROUTE.test(pattern)
}

/** @throws PaymentError `invalid_option` for a route template that is none, or a body without its type */
export function createDiscovery(options: DiscoveryOptions = {}): GateExtension {
  const { bodyType, body = {}, routeTemplate, output } = options
  if (routeTemplate !== undefined && !isRouteTemplate(routeTemplate))
    throw new PaymentError('invalid_option', `no route template: ${routeTemplate}`)
  if (bodyType === undefined && (options.body !== undefined || options.bodySchema !== undefined))
    throw new PaymentError('invalid_option', 'a body needs its bodyType')
  return {
    key: BAZAAR,
    offer(_offer, request) {
      const method = boundMethod(request.method)
      const allowed = bodyType === undefined ? WITHOUT_BODY : WITH_BODY
      if (!allowed.includes(method)) return undefined
      const { pathParams, queryParams = {} } = options
      const input = {
        type: 'http',
        method,
        ...(bodyType === undefined ? { queryParams } : { bodyType, body }),
        ...(pathParams !== undefined && { pathParams }),
      }
      return {
        info: { input, ...(output !== undefined && { output: { type: 'json', example: output.example } }) },
        ...(routeTemplate !== undefined && { routeTemplate }),
        schema: schemaOf(options, allowed),
      }
    },
  }
}

function schemaOf(options: DiscoveryOptions, methods: readonly string[]): Json {
  const { bodyType, querySchema, bodySchema, pathParams, pathSchema, output } = options
  const object = (schema: ObjectSchema | undefined): Json => ({ type: 'object', ...schema })
  const bodyOf: Json = bodySchema === undefined ? {} : { ...bodySchema }
  const input: Json = {
    type: 'object',
    properties: {
      type: { type: 'string', const: 'http' },
      method: { type: 'string', enum: methods },
      ...(bodyType === undefined
        ? { queryParams: object(querySchema) }
        : { bodyType: { type: 'string', enum: ['json', 'form-data', 'text'] }, body: bodyOf }),
      ...((pathSchema ?? pathParams) !== undefined && { pathParams: object(pathSchema) }),
    },
    required: bodyType === undefined ? ['type', 'method'] : ['type', 'method', 'bodyType', 'body'],
    additionalProperties: false,
  }
  const produced: Json = {
    type: 'object',
    properties: { type: { type: 'string' }, example: output?.schema ?? {} },
    required: ['type'],
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { input, ...(output !== undefined && { output: produced }) },
    required: ['input'],
  }
}
