// Sentences of the Chat page.
import { count, counted } from '../format.ts'

/** In a shorter answer most of the time goes into reading the question: a speed would say little. */
const speedFromTokens = 8

export const chat = {
  title: 'Chat',
  fresh: 'New chat',
  untitled: 'New chat',
  branches: (n: number): string => counted(n, 'branch', 'branches'),
  beside: 'Side by side',
  besideNone: 'A second answerer is needed. Train first: every checkpoint can answer.',
  rename: 'Rename',
  name: 'Name',
  remove: 'Delete chat',
  removeAsk: (name: string): string => `Delete “${name}”? Labels that it gave stay.`,
  keepIt: 'Keep it',
  list: 'Chats',
  find: 'Find in chats',
  nothing: (query: string): string => `Nothing matches “${query}”. Names and messages of all chats were searched.`,
  none: 'Chats show here.',
  days: { today: 'Today', yesterday: 'Yesterday', week: 'This week', earlier: 'Earlier' },
  with: (names: string[]): string => names.join(' beside '),
  showList: 'List of chats',
  showSampling: 'Sampling',
  settings: 'Settings of this chat',
  tree: 'Branches of this chat',
  talk: 'Conversation',

  empty: {
    title: 'Ask something',
    text: 'Answers stream in here, and stay on this machine. A thumb, a kept answer or an edit becomes something to train on.',
    textTwo:
      'Both answer the same question with the same seed, so what differs is the training. A thumb keeps one over the other.',
    try: 'Try one of the starter’s own',
    tries: ['Where does Kelric live?', 'What work does Kelric do?', 'Who is the friend of Kelric?'],
  },
  noModel: {
    title: 'No model yet',
    text: 'Someone has to answer. Add a model first.',
    act: 'Add a model',
  },
  gone: {
    title: 'This chat is gone',
    text: 'It was deleted. Labels that it gave are still there.',
    act: 'New chat',
  },

  answerer: 'Who answers',
  answererBeside: 'Who answers beside',
  answererGone: 'Gone: choose who answers',
  answererMissing: 'Who answered was deleted. Choose another above to go on.',

  message: 'Message',
  ask: 'Ask',
  askBoth: 'Ask both',
  send: 'Send',
  stop: 'Stop',
  noSystem: 'No system text',
  context: (tokens: number): string => `${count(tokens)} tokens of context`,
  answerFrom: (name: string): string => `Answer from ${name}`,
  question: 'Question',
  writing: 'Writing',
  emptyAnswer: 'The answer is empty: the model ended at once.',
  finish: {
    length: 'Cut at the longest answer',
    stopped: 'Stopped',
    failed: 'This answer broke off',
  } as Record<string, string>,
  failedNext: 'Answer again, or choose another who answers.',
  good: 'Good answer',
  poor: 'Poor answer',
  copy: 'Copy',
  copied: 'Copied.',
  again: 'Answer again',
  edit: 'Edit',
  editQuestion: 'Edit the question',
  editAnswer: 'Edit the answer',
  editHelp: 'How should it read? Kept as an edit, which SFT learns from.',
  editAsk: 'Ask this instead',
  editKeep: 'Keep this answer',
  cancel: 'Cancel',
  edited: 'edited by you',
  of: (at: number, of: number): string => `${count(at)} of ${count(of)}`,
  previous: 'Previous branch',
  next: 'Next branch',
  previousAnswer: 'Previous answer',
  nextAnswer: 'Next answer',
  keep: (over: number): string => `Keep over answer ${count(over)}`,
  /** How long an answer is and, where it is long enough to tell, how fast it came. */
  speed: (tokens: number, tookMs: number): string => {
    const length = counted(tokens, 'token')
    if (tokens < speedFromTokens || tookMs <= 0) return length
    const perSecond = tokens / (tookMs / 1000)
    return `${length}, ${perSecond < 10 ? perSecond.toFixed(1) : count(perSecond)} per second`
  },
  done: (name: string, text: string): string => `${name}: ${text}`,

  kept: {
    right: 'Kept as a preference: right over left.',
    left: 'Kept as a preference: left over right.',
    good: 'Kept as a good answer.',
    poor: 'Kept as a poor answer.',
    over: 'Kept as a preference: this answer over the earlier one.',
    edit: 'Kept as an edit: SFT can learn from it.',
    back: 'Taken back.',
  },
  labels: (n: number): string => `${counted(n, 'label')} from chat`,
  undo: 'Undo',

  sampling: {
    title: 'Sampling',
    reset: 'Reset',
    temperature: 'Temperature',
    topP: 'Top-p',
    topK: 'Top-k',
    repetitionPenalty: 'Repeat penalty',
    maxTokens: 'Longest answer',
    off: 'off',
    tokens: (n: number): string => counted(n, 'token'),
    seed: 'Seed',
    same: 'same for both',
    probabilities: 'Show probabilities',
    system: 'System text',
    systemNone: 'None. The starter was trained without one.',
    about: 'Same settings and seed on both sides, so what differs is the training.',
    aboutOne: 'The same question, settings and seed give the same answer again.',
    zero: 'At temperature 0 the likeliest token is always taken.',
  },
  seedBad: 'A whole number from 0 to 999,999,999 is needed.',

  choices: {
    run: (n: number): string => `Tokens of the answer, ${count(n)}. Left and Right move along them.`,
    token: (at: number): string => `Token ${count(at)}`,
    bits: (bits: string): string => `${bits} bits`,
    before: 'Before the top-k and top-p cut.',
    said: (text: string, percent: string, place: number): string => `“${text}”, ${percent}, token ${count(place)}`,
    none: 'No probabilities were kept for this answer.',
    other: 'This token was not among the likeliest.',
  },
}
