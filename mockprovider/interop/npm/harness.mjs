// The other side of process_test.go: reads tasks as lines of JSON and answers each with {"ok": true} or {"error": "…"}.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')

// open shows a page to the resource owner and says where the browser landed: {url, form}.
async function open(url, stay = false) {
  say({ open: String(url), stay })
  const { value } = await lines.next()
  return JSON.parse(value)
}

// told is an error as its library tells it: its type, codes, message and causes.
function told(error) {
  const parts = []
  for (let e = error; e instanceof Error && parts.length < 5; e = e.cause) {
    parts.push([e.constructor.name, e.code, e.error, e.message].filter((part) => typeof part === 'string' && part).join(' '))
  }
  return parts.join(': ')
}

// serve does tasks: flows are functions by name, of the task ({mock, client(part), user, flow, auth}) and open.
export async function serve(flows) {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) return
    const { flow, mock, clients, auth } = JSON.parse(value)
    const client = (part) => clients[part] // web, native, implicit, service, resource
    try {
      if (!flows[flow]) throw new Error(`no flow ${flow}`)
      await flows[flow]({ mock, client, user: mock.users[0], flow, auth }, open)
      say({ ok: true })
    } catch (error) {
      say({ error: told(error) || String(error) })
    }
  }
}

// expect is the program's own demand.
export function expect(condition, text) {
  if (!condition) throw new Error(text)
}

// refused expects an error, for which the test holds.
export async function refused(promise, test, text) {
  let error
  try {
    await promise
  } catch (e) {
    error = e
  }
  expect(error, `${text}: nothing was refused`)
  if (!test(error)) throw new Error(`${text}: another error`, { cause: error })
}
