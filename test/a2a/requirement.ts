/** One row of the requirements table. */
export interface Requirement {
  readonly section: string
  readonly level: 'MUST' | 'SHOULD'
  readonly text: string
}

export const must = (section: string, text: string): Requirement => ({ section, level: 'MUST', text })
export const should = (section: string, text: string): Requirement => ({ section, level: 'SHOULD', text })
