/** What the figures were taken on, and whether something else was running. */
import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const TMPFS = 0x01021994

export async function machine() {
  const busy = await busyShare()
  const temp =
    statfsSync(os.tmpdir()).type === TMPFS ? 'in memory: a disk sync costs nothing here' : 'on disk'
  return {
    machine: `${os.cpus().length} x ${os.cpus()[0]?.model.trim() ?? 'unknown'}, ${os.type()} ${os.release()}`,
    node: `${process.version}, libuv ${process.versions.uv}`,
    temp,
    files: `${openFileLimit()} open files allowed`,
    busy: `${Math.round(100 * busy)} % before the start${busy > 0.15 ? ': OTHERS ARE RUNNING, the figures are too low' : ''}`,
  }
}

/** Open files a process may have (ulimit -n); Node itself raises the soft limit to the hard one. */
export function openFileLimit() {
  try {
    const text = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
    return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
  } catch {
    return 1024
  }
}

async function busyShare() {
  const before = cpuTimes()
  await sleep(700)
  const after = cpuTimes()
  return 1 - (after.idle - before.idle) / (after.all - before.all)
}

function cpuTimes() {
  let idle = 0
  let all = 0
  for (const { times } of os.cpus()) {
    idle += times.idle
    all += times.user + times.nice + times.sys + times.irq + times.idle
  }
  return { idle, all }
}
