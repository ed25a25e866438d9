import { expect, test } from 'vitest'
import { compileSchema } from './json-schema.js'

const person = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 3, description: 'who' },
    age: { type: ['integer', 'null'], minimum: 0, exclusiveMaximum: 200 },
    tags: { type: 'array', items: { enum: ['a', { b: 1 }] }, minItems: 1 },
    kind: { const: 'person' },
    one: { oneOf: [{ type: 'number' }, { minimum: 5 }] },
    any: { anyOf: [{ type: 'string' }, { type: 'boolean' }] },
    all: { allOf: [{ pattern: '^x' }, { pattern: 'y$' }] },
  },
} as const

test.each([
  [{ name: 'Bob' }],
  [
    {
      name: '\u{1f600}\u{1f600}\u{1f600}',
      age: null,
      tags: ['a', { b: 1 }],
      kind: 'person',
      any: true,
      all: 'xy',
    },
  ],
  [{ name: 'Bob', one: 3 }],
])('what fits has no issue: %j', (value) => {
  expect(compileSchema(person)(value)).toEqual([])
})

test.each([
  ['text', []],
  [{}, ['name']],
  [{ name: '' }, ['name']],
  [{ name: 'Robert' }, ['name']],
  [{ name: 'Bob', age: 1.5 }, ['age']],
  [{ name: 'Bob', age: 200 }, ['age']],
  [{ name: 'Bob', tags: ['a', 'c'] }, ['tags', 1]],
  [{ name: 'Bob', tags: [] }, ['tags']],
  [{ name: 'Bob', kind: 'cat' }, ['kind']],
  [{ name: 'Bob', one: 7 }, ['one']],
  [{ name: 'Bob', any: 7 }, ['any']],
  [{ name: 'Bob', all: 'xz' }, ['all']],
  [{ name: 'Bob', constructor: 1 }, ['constructor']],
])('what does not fit says where: %j', (value, path) => {
  expect(compileSchema(person)(value).map((issue) => issue.path)).toEqual([path])
})

test.each([
  [{ patternProperties: {} }],
  [{ $ref: '#/$defs/a' }],
  [{ type: 'text' }],
  [{ minimum: 'x' }],
  [{ properties: { a: 7 } }],
  [{ if: {} }],
])('a schema that is not understood is refused: %j', (schema) => {
  expect(() => compileSchema(schema as never)).toThrow(TypeError)
})
