import { expect, test } from 'vitest'
import { openDatabase } from './database.ts'
import { forgetMessages } from './messages.ts'

test('the last messages stay', async () => {
  const db = await openDatabase(':memory:')
  await forgetMessages(db, 3)
  const messages = [1, 2, 3, 4, 5].map((number) => ({ number, document: 'd', hash: 'h' }))
  await db.insertInto('feed_messages').values(messages).execute()
  await forgetMessages(db, 3)
  expect(await db.selectFrom('feed_messages').select('number').execute()).toEqual([
    { number: 3 },
    { number: 4 },
    { number: 5 },
  ])
  await db.destroy()
})
