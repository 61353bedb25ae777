// Every form of reference: recognised by content, converted to the right example. One form a test.
import { expect, test } from 'vitest'
import type { Example, Message } from '../../../../src-main/contract/records.ts'
import { preview } from '../../../../src-main/data/import/preview.ts'
import { recognise } from '../../../../src-main/data/import/recognise.ts'
import { file, imported, jsonl } from './files.ts'

const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })
const system = (content: string): Message => ({ role: 'system', content })

async function first(
  ...records: unknown[]
): Promise<{ form: string; asChat: boolean; example: Example | undefined; reasons: string[] }> {
  const { rows, refusals, mapping } = await imported(file('rows', jsonl(...records)))
  return {
    form: mapping.form,
    asChat: mapping.asChat,
    example: rows[0]?.example,
    reasons: refusals.map((one) => one.reason),
  }
}

test('OpenAI messages', async () => {
  const messages = [system('Be kind.'), user('Hi'), assistant('Hello.')]
  expect(await first({ messages, id: 7 })).toMatchObject({
    form: 'openai-messages',
    example: { kind: 'conversation', messages },
  })
})

test('the keys that are not used are named, not silently dropped', () => {
  const [found] = recognise([{ messages: [user('Hi'), assistant('Hello.')], id: 7, source: 'x' }])
  expect(found).toMatchObject({
    title: 'Chat messages, as OpenAI writes them',
    confidenceRatio: 1,
    unusedKeys: ['id', 'source'],
  })
})

test('tool calls become their JSON text, and parts of a text are joined', async () => {
  const call = { function: { name: 'add', arguments: '{"a":1}' } }
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Add ' },
        { type: 'text', text: 'one' },
      ],
    },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', content: '2' },
    assistant('Two.'),
  ]
  const { example } = await first({ messages })
  expect(example).toEqual({
    kind: 'conversation',
    messages: [
      user('Add one'),
      assistant('[{"name":"add","arguments":"{\\"a\\":1}"}]'),
      { role: 'tool', content: '2' },
      assistant('Two.'),
    ],
  })
})

test('a picture in a message is refused', async () => {
  const { reasons } = await first(
    { messages: [{ role: 'user', content: [{ type: 'image_url' }] }, assistant('A cat.')] },
    { messages: [user('a'), assistant('b')] },
  )
  expect(reasons).toEqual(['Message 1 holds something other than text.'])
})

test('ShareGPT: role words are mapped, in any case and with blanks', async () => {
  const conversations = [
    { from: 'System', value: 'Be kind.' },
    { from: 'User ', value: 'Hi' },
    { from: 'GPT', value: 'Hello.' },
    { from: 'human', value: 'Bye' },
    { from: 'observation', value: '{}' },
    { from: 'gpt', value: 'Bye.' },
  ]
  const { form, example } = await first({ conversations })
  expect(form).toBe('sharegpt')
  expect(example).toEqual({
    kind: 'conversation',
    messages: [
      system('Be kind.'),
      user('Hi'),
      assistant('Hello.'),
      user('Bye'),
      { role: 'tool', content: '{}' },
      assistant('Bye.'),
    ],
  })
})

test('one row is enough to know roles: they are not guessed from counts', async () => {
  expect(
    (
      await first({
        conversations: [
          { from: 'human', value: 'Hi' },
          { from: 'gpt', value: 'Hello.' },
        ],
      })
    ).example,
  ).toEqual({ kind: 'conversation', messages: [user('Hi'), assistant('Hello.')] })
})

test('an odd role is refused with its name', async () => {
  const { reasons } = await first(
    {
      conversations: [
        { from: 'human', value: 'Hi' },
        { from: 'gpt', value: 'Hello.' },
      ],
    },
    {
      conversations: [
        { from: 'narrator', value: 'Once' },
        { from: 'gpt', value: 'x' },
      ],
    },
  )
  expect(reasons).toEqual([
    'The role “narrator” of message 1 is not known. Known are system, user, assistant and tool.',
  ])
})

test('a role that a person maps by hand is taken', async () => {
  const path = file(
    'rows',
    jsonl({
      conversations: [
        { from: 'Narrator', value: 'Once' },
        { from: 'gpt', value: 'upon' },
      ],
    }),
  )
  const { mapping } = await preview(path)
  const { rows } = await imported(path, { ...mapping, roles: { ...mapping.roles, narrator: 'user' } })
  expect(rows[0].example).toEqual({ kind: 'conversation', messages: [user('Once'), assistant('upon')] })
})

test('a system column goes before the messages, and the first system message wins over it', async () => {
  const path = file(
    'rows',
    jsonl(
      {
        conversations: [
          { from: 'human', value: 'Hi' },
          { from: 'gpt', value: 'Yo' },
        ],
        system: 'Rhyme.',
      },
      {
        conversations: [
          { from: 'system', value: 'Own.' },
          { from: 'human', value: 'Hi' },
          { from: 'gpt', value: 'Yo' },
        ],
        system: 'Rhyme.',
      },
    ),
  )
  const { rows } = await imported(path)
  expect(rows.map((row) => (row.example as { messages: Message[] }).messages[0].content)).toEqual(['Rhyme.', 'Own.'])
})

test('Alpaca: the input joins the instruction on a new line, and is skipped when empty', async () => {
  const path = file(
    'rows',
    jsonl(
      { instruction: 'Translate.', input: 'Hund', output: 'dog', system: 'Short.' },
      { instruction: 'Say hi.', input: '', output: 'Hi.' },
    ),
  )
  const { rows, mapping } = await imported(path)
  expect(mapping.form).toBe('alpaca')
  expect(rows.map((row) => row.example)).toEqual([
    { kind: 'completion', prompt: [system('Short.'), user('Translate.\nHund')], response: [assistant('dog')] },
    { kind: 'completion', prompt: [user('Say hi.')], response: [assistant('Hi.')] },
  ])
})

test('Alpaca with a history is a conversation, because the earlier answers are learned too', async () => {
  const { example } = await first({
    instruction: 'And now?',
    input: '',
    output: 'Three.',
    history: [
      ['First?', 'One.'],
      ['Then?', 'Two.'],
    ],
  })
  expect(example).toEqual({
    kind: 'conversation',
    messages: [
      user('First?'),
      assistant('One.'),
      user('Then?'),
      assistant('Two.'),
      user('And now?'),
      assistant('Three.'),
    ],
  })
})

test('TRL prompt and completion as strings that carry their own space stay plain', async () => {
  expect(await first({ prompt: 'The sky is', completion: ' blue.' })).toEqual({
    form: 'trl-prompt-completion',
    asChat: false,
    reasons: [],
    example: { kind: 'completion', prompt: [user('The sky is')], response: [assistant(' blue.')], plain: true },
  })
})

test('a question and an answer without a space between them become turns of a chat', async () => {
  expect((await first({ prompt: 'What is 2+2?', completion: '4' })).example).toEqual({
    kind: 'completion',
    prompt: [user('What is 2+2?')],
    response: [assistant('4')],
  })
})

test('the other way to take strings is offered', async () => {
  const { alternatives } = await preview(file('rows', jsonl({ prompt: 'The sky is', completion: ' blue.' })))
  expect(alternatives[0]).toMatchObject({
    title: 'Prompts and completions, as turns of a chat',
    mapping: { asChat: true },
  })
})

test('TRL prompt and completion as messages', async () => {
  expect(await first({ prompt: [user('Hi')], completion: [assistant('Hello.')] })).toMatchObject({
    form: 'trl-prompt-completion',
    example: { kind: 'completion', prompt: [user('Hi')], response: [assistant('Hello.')] },
  })
})

test('TRL language modelling', async () => {
  expect(await first({ text: 'The sky is blue.' })).toMatchObject({
    form: 'trl-text',
    example: { kind: 'text', text: 'The sky is blue.' },
  })
})

test('TRL prompt only, as string and as messages', async () => {
  expect(await first({ prompt: 'The sky is' })).toMatchObject({
    form: 'trl-prompt-only',
    example: { kind: 'prompt', prompt: [user('The sky is')] },
  })
  expect(await first({ prompt: [system('S'), user('Q')] })).toMatchObject({
    form: 'trl-prompt-only',
    example: { kind: 'prompt', prompt: [system('S'), user('Q')] },
  })
})

test('TRL preference, explicit, plain and as messages', async () => {
  expect(await first({ prompt: 'The sky is', chosen: ' blue.', rejected: ' green.' })).toMatchObject({
    form: 'trl-preference',
    example: {
      kind: 'preference',
      prompt: [user('The sky is')],
      chosen: [assistant(' blue.')],
      rejected: [assistant(' green.')],
      plain: true,
    },
  })
  const example: Example = {
    kind: 'preference',
    prompt: [user('Colour?')],
    chosen: [assistant('Blue.')],
    rejected: [assistant('Green.')],
  }
  expect((await first({ prompt: example.prompt, chosen: example.chosen, rejected: example.rejected })).example).toEqual(
    example,
  )
})

test('TRL preference, implicit strings: the space belongs to the answer', async () => {
  expect((await first({ chosen: 'The sky is blue.', rejected: 'The sky is green.' })).example).toEqual({
    kind: 'preference',
    prompt: [user('The sky is')],
    chosen: [assistant(' blue.')],
    rejected: [assistant(' green.')],
    plain: true,
  })
})

test('TRL preference, implicit messages: the common beginning, message by message', async () => {
  const { example } = await first({
    chosen: [user('A?'), assistant('B.'), user('C?'), assistant('D.')],
    rejected: [user('A?'), assistant('B.'), user('C?'), assistant('E.')],
  })
  expect(example).toEqual({
    kind: 'preference',
    prompt: [user('A?'), assistant('B.'), user('C?')],
    chosen: [assistant('D.')],
    rejected: [assistant('E.')],
  })
})

test('chosen equal to rejected is refused in every preference form', async () => {
  const good = { prompt: 'Q?', chosen: 'A', rejected: 'B' }
  expect((await first(good, { prompt: 'Q?', chosen: 'A', rejected: 'A' })).reasons).toEqual([
    'The chosen and the rejected answer are the same.',
  ])
  expect((await first({ chosen: 'Q A', rejected: 'Q B' }, { chosen: 'Q A', rejected: 'Q A' })).reasons).toEqual([
    'The chosen and the rejected answer are the same.',
  ])
  const list = [user('Q'), assistant('A')]
  expect(
    (await first({ chosen: list, rejected: [user('Q'), assistant('B')] }, { chosen: list, rejected: list })).reasons,
  ).toEqual(['The chosen and the rejected answer are the same.'])
})

test('texts without a common beginning, and a text that is the beginning of the other, are refused', async () => {
  const good = { chosen: 'The sky is blue.', rejected: 'The sky is green.' }
  const { reasons } = await first(
    good,
    { chosen: 'Blue.', rejected: 'Green.' },
    { chosen: 'Sky', rejected: 'Sky is blue' },
  )
  expect(reasons).toEqual([
    'There is no question: both answers share no beginning.',
    'One answer is only the beginning of the other, so it would be empty.',
  ])
})

test('a character is never cut in two', async () => {
  const { example } = await first({ chosen: 'Smile 😀', rejected: 'Smile 😁' })
  expect(example).toMatchObject({ prompt: [user('Smile')], chosen: [assistant(' 😀')], rejected: [assistant(' 😁')] })
})

test('a preference whose question ends with an answer is refused: chat could not go on from it', async () => {
  const row = { prompt: [user('Q'), assistant('A')], chosen: [assistant('B')], rejected: [assistant('C')] }
  const { reasons } = await first({ ...row, prompt: [user('Q')] }, row)
  expect(reasons).toEqual(['The question does not end with a message of the user.'])
})

test('UltraFeedback: the question is in the prompt and in both answers, and is used once', async () => {
  const row = {
    prompt: 'Q?',
    chosen: [user('Q?'), assistant('Good.')],
    rejected: [user('Q?'), assistant('Bad.')],
    score_chosen: 8,
  }
  expect(await first(row)).toMatchObject({
    form: 'ultrafeedback',
    example: { kind: 'preference', prompt: [user('Q?')], chosen: [assistant('Good.')], rejected: [assistant('Bad.')] },
  })
})

test('HH-RLHF: Human and Assistant inside strings', async () => {
  const start = '\n\nHuman: Hi there\n\nAssistant: Hello.\n\nHuman: Help?\n\nAssistant:'
  const { form, example } = await first({ chosen: `${start} Sure.`, rejected: `${start} No.` })
  expect(form).toBe('hh-rlhf')
  expect(example).toEqual({
    kind: 'preference',
    prompt: [user('Hi there'), assistant('Hello.'), user('Help?')],
    chosen: [assistant('Sure.')],
    rejected: [assistant('No.')],
  })
})

test('Orca DPO', async () => {
  expect(await first({ system: 'Be brief.', question: 'Q?', chosen: 'A', rejected: 'B' })).toMatchObject({
    form: 'orca-dpo',
    example: {
      kind: 'preference',
      prompt: [system('Be brief.'), user('Q?')],
      chosen: [assistant('A')],
      rejected: [assistant('B')],
    },
  })
  expect((await first({ system: '', question: 'Q?', chosen: 'A', rejected: 'B' })).example).toMatchObject({
    prompt: [user('Q?')],
  })
})

test('LLaMA-Factory ranking: answers are objects, not lists', async () => {
  const row = {
    conversations: [{ from: 'human', value: 'Q?' }],
    chosen: { from: 'gpt', value: 'A' },
    rejected: { from: 'gpt', value: 'B' },
  }
  expect(await first(row)).toMatchObject({
    form: 'llama-factory-ranking',
    example: { kind: 'preference', prompt: [user('Q?')], chosen: [assistant('A')], rejected: [assistant('B')] },
  })
})

test('LLaMA-Factory ranking of Alpaca rows', async () => {
  expect(await first({ instruction: 'I', input: 'x', chosen: 'A', rejected: 'B' })).toMatchObject({
    form: 'alpaca-ranking',
    example: { kind: 'preference', prompt: [user('I\nx')], chosen: [assistant('A')] },
  })
})

test('OpenAI preferences', async () => {
  const row = {
    input: { messages: [user('Q?')] },
    preferred_output: [assistant('A')],
    non_preferred_output: [assistant('B')],
  }
  expect(await first(row)).toMatchObject({
    form: 'openai-preference',
    example: { kind: 'preference', prompt: [user('Q?')], chosen: [assistant('A')], rejected: [assistant('B')] },
  })
})

test('unpaired: real booleans', async () => {
  expect(await first({ prompt: 'Q?', completion: 'A', label: false })).toMatchObject({
    form: 'trl-unpaired',
    example: { kind: 'thumb', prompt: [user('Q?')], response: [assistant('A')], good: false },
  })
})

test('unpaired: “true” as text is taken with a note; 1 is refused, never learned as an answer', async () => {
  const rows = [{ prompt: 'Q?', completion: 'A', label: 'True' }]
  expect((await preview(file('rows', jsonl(...rows)))).notes).toContainEqual(expect.stringContaining('written as text'))
  expect((await first(...rows)).example).toMatchObject({ kind: 'thumb', good: true })
  expect(
    (await first({ prompt: 'Q?', completion: 'A', label: 1 }, { prompt: 'Q?', completion: 'A', label: 0 })).reasons,
  ).toEqual(['The label must be true or false, not 1.', 'The label must be true or false, not 0.'])
})

test('kto_tag beside conversations and beside Alpaca; the text “true” does not fall through to plain answers', async () => {
  const conversations = [
    { from: 'human', value: 'Q?' },
    { from: 'gpt', value: 'A' },
  ]
  expect(await first({ conversations, kto_tag: true })).toMatchObject({
    form: 'sharegpt-kto',
    example: { kind: 'thumb', prompt: [user('Q?')], response: [assistant('A')], good: true },
  })
  expect(await first({ conversations, kto_tag: 'false' })).toMatchObject({ example: { kind: 'thumb', good: false } })
  expect(await first({ instruction: 'Q?', input: '', output: 'A', kto_tag: true })).toMatchObject({
    form: 'alpaca-kto',
    example: { kind: 'thumb', good: true },
  })
})

test('a table of questions, answers and thumbs keeps its thumbs', async () => {
  const { rows, refusals } = await imported(file('a.csv', 'question,answer,label\nQ?,A,true\nQ?,B,False\nQ?,C,maybe\n'))
  expect(rows.map((row) => row.example)).toEqual([
    { kind: 'thumb', prompt: [user('Q?')], response: [assistant('A')], good: true },
    { kind: 'thumb', prompt: [user('Q?')], response: [assistant('B')], good: false },
  ])
  expect(refusals.map((one) => one.reason)).toEqual(['The label must be true or false, not "maybe".'])
})

test('a label that is a class, not a thumb, is left unused', async () => {
  const { example } = await first({ text: 'Nice.', label: 'positive' }, { text: 'Bad.', label: 'negative' })
  expect(example).toEqual({ kind: 'text', text: 'Nice.' })
})

test('weights of single messages are told of, because they are not read', () => {
  const messages = [user('a'), { ...assistant('b'), weight: 0 }]
  expect(recognise([{ messages }])[0].notes).toEqual([expect.stringContaining('Weights')])
})

test.each([
  ['question,answer', 'Q?,A'],
  ['Prompt,Response', 'Q?,A'],
  ['instruction,response', 'Q?,A'],
  ['id;Query;Reply', '1;Q?;A'],
])('a table with the columns %s', async (header, row) => {
  const { rows } = await imported(file('a.csv', `${header}\n${row}\n`))
  expect(rows[0].example).toEqual({ kind: 'completion', prompt: [user('Q?')], response: [assistant('A')] })
})

test('a number in a table is an answer, not an empty one', async () => {
  const { rows, refusals } = await imported(file('a.csv', 'question,answer\nHow many?,456\nWhat?,it\n'))
  expect(rows[0].example).toMatchObject({ response: [assistant('456')] })
  expect(refusals).toEqual([])
})

test('a number in JSON is an answer too', async () => {
  expect((await first({ question: 'How many?', answer: 456 })).example).toMatchObject({ response: [assistant('456')] })
})

test('the same rows as CSV and as JSON give the same examples', async () => {
  const rows = [
    { instruction: 'Add.', input: '1, "2"', output: '3\nthree' },
    { instruction: 'Say.', input: '', output: 'ü' },
  ]
  const csv =
    'instruction,input,output\n' +
    rows
      .map((one) =>
        Object.values(one)
          .map((cell) => `"${cell.replaceAll('"', '""')}"`)
          .join(','),
      )
      .join('\n')
  const [a, b] = [await imported(file('a.csv', csv)), await imported(file('a.json', JSON.stringify(rows)))]
  expect(a.rows.map((row) => row.example)).toEqual(b.rows.map((row) => row.example))
})

test('messages as JSON text inside a table', async () => {
  const messages = [user('Hi, you'), assistant('Hello.')]
  const { rows, mapping } = await imported(
    file('a.csv', `messages,n\n"${JSON.stringify(messages).replaceAll('"', '""')}",1\n`),
  )
  expect(mapping.form).toBe('openai-messages')
  expect(rows[0].example).toEqual({ kind: 'conversation', messages })
})

test('an answer that is JSON stays text', async () => {
  expect((await first({ prompt: 'Give JSON.', completion: '{"a": 1}' })).example).toMatchObject({
    response: [assistant('{"a": 1}')],
  })
})

test('bare lists of messages, and bare texts', async () => {
  expect((await first([user('Hi'), assistant('Yo')], [user('a'), assistant('b')])).example).toEqual({
    kind: 'conversation',
    messages: [user('Hi'), assistant('Yo')],
  })
  const { rows } = await imported(file('a.json', '["one","two"]'))
  expect(rows.map((row) => row.example)).toEqual([
    { kind: 'text', text: 'one' },
    { kind: 'text', text: 'two' },
  ])
})

test('plain text divided at blank lines or kept whole', async () => {
  const path = file('a.txt', 'One.\n\nTwo.\n')
  const found = await preview(path)
  expect(found.rows.map((row) => row.example)).toEqual([
    { kind: 'text', text: 'One.' },
    { kind: 'text', text: 'Two.' },
  ])
  const whole = await preview(path, found.alternatives[0].mapping)
  expect(whole.rows.map((row) => row.example)).toEqual([{ kind: 'text', text: 'One.\n\nTwo.' }])
})

test('a list of lists without keys is not known, and says why', async () => {
  await expect(imported(file('a.json', '[["Q","A"],["R","B"]]'))).rejects.toMatchObject({
    kind: 'BadFile',
    message: 'The form of this file is not known. It has no named parts.',
  })
})

test('an unknown form lists the keys found and the forms that are read; a preview lets one map by hand', async () => {
  const path = file('a.jsonl', jsonl({ frage: 'Q?', antwort: 'A' }))
  await expect(imported(path)).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringContaining('“frage”, “antwort”'),
    next: expect.stringMatching(/map by hand.*messages \(OpenAI\).*chosen and rejected/s),
  })
  const shown = await preview(path)
  expect(shown).toMatchObject({
    recognised: false,
    keys: [
      { key: 'frage', sample: 'Q?', part: null },
      { key: 'antwort', sample: 'A', part: null },
    ],
  })
  const byHand = await preview(path, { ...shown.mapping, parts: { prompt: 'frage', response: 'antwort' } })
  expect(byHand).toMatchObject({
    recognised: true,
    title: 'Mapped by hand',
    rows: [{ example: { prompt: [user('Q?')], response: [assistant('A')] } }],
  })
})

test('a list of loose messages is named, not read as texts', async () => {
  await expect(imported(file('a.json', JSON.stringify([user('Hi'), assistant('Yo')])))).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringContaining('one message'),
  })
})

test('stepwise and tokenised data are named', async () => {
  await expect(imported(file('a', jsonl({ prompt: 'a', completions: ['b'], labels: [true] })))).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringContaining('step by step'),
  })
  await expect(imported(file('a', jsonl({ input_ids: [1], labels: [1] })))).rejects.toMatchObject({
    kind: 'BadFile',
    message: expect.stringContaining('already tokens'),
  })
})

test('empty parts are refused, each in its own words', async () => {
  const messages = [user('Q'), assistant('A')]
  expect(
    (
      await first(
        { messages },
        { messages: [] },
        { messages: [user('Q'), assistant(' ')] },
        { messages: [user(''), assistant('A')] },
        { messages: [user('Q')] },
        { messages: [user('Q'), assistant('A'), user('R'), assistant('')] },
      )
    ).reasons,
  ).toEqual([
    'There are no messages.',
    'The answer in message 2 is empty.',
    'The question is empty.',
    'There is no answer to learn from.',
    'The answer in message 4 is empty.',
  ])
  expect(
    (
      await first(
        { prompt: 'Q', completion: 'A' },
        { prompt: '', completion: 'A' },
        { prompt: 'Q', completion: null },
        { prompt: 'Q' },
      )
    ).reasons,
  ).toEqual(['The question is empty.', 'The answer is empty.', 'The answer is empty.'])
  expect(
    (
      await first(
        { prompt: 'Q', chosen: 'A', rejected: 'B' },
        { prompt: 'Q', chosen: '', rejected: 'B' },
        { prompt: 'Q', chosen: 'A', rejected: '' },
        { prompt: 'Q', chosen: '', rejected: '' },
      )
    ).reasons,
  ).toEqual(['The chosen answer is empty.', 'The rejected answer is empty.', 'Both answers are empty.'])
})

test('other uses of the same rows are offered: questions only, chosen answers only, the last answer only', async () => {
  const kinds = async (...records: unknown[]): Promise<string[]> =>
    (await preview(file('rows', jsonl(...records)))).alternatives.map((one) => one.mapping.kind)
  expect(await kinds({ messages: [user('a'), assistant('b')] })).toEqual(['completion', 'prompt'])
  expect(await kinds({ prompt: [user('a')], chosen: [assistant('b')], rejected: [assistant('c')] })).toEqual([
    'completion',
    'prompt',
  ])
})
