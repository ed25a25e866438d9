/** The files beside the stores: copied while a relay writes them, and read through for damage. */
import { chmodSync, copyFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { isTable } from './place.js'

/** On disk when it resolves, readable for nobody but the owner: one of them is the relay's key. */
export async function copySideFile(name: string, from: string, to: string): Promise<void> {
  const target = join(to, name)
  if (isTable(name)) {
    // A snapshot, whoever writes meanwhile.
    const table = openTable(join(from, name))
    await table.backup(target, true).finally(() => table.close())
  } else copyFileSync(join(from, name), target)
  chmodSync(target, 0o600)
  const file = await openFile(target, 'r+')
  await file.sync().finally(() => file.close())
}

/** Reads every entry; undefined when all is well, else what is wrong. A damaged page can end the process. */
export async function tableFault(file: string): Promise<string | undefined> {
  let table: RootDatabase<Buffer, Buffer> | undefined
  try {
    table = openTable(file)
    let entries = 0
    for (const { value } of table.getRange()) entries += value === undefined ? 0 : 1
    const { entryCount } = table.getStats() as { entryCount: number }
    return entries === entryCount ? undefined : `counts ${entryCount} entries, there are ${entries}`
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    await table?.close()
  }
}

function openTable(path: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    ...{ path, noSubdir: true, readOnly: true },
    ...{ encoding: 'binary', keyEncoding: 'binary' },
  })
}
