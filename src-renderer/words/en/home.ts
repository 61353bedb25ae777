// Sentences of Home.
export const home = {
  title: 'Make a small model your own',
  lead: {
    start:
      'A starter model is here. Four steps make it yours, in about five minutes. Everything stays on this machine.',
    begun: 'Everything stays on this machine.',
    training: 'A training is going on. Everything stays on this machine.',
    done: 'All four steps are done once. Go round again: better data, better judgements, a better model.',
  },
  stations: {
    import: { title: 'Import', act: 'Import data', open: 'Open data', locked: '' },
    train: { title: 'Train', act: 'Start training', open: 'Open runs', locked: 'Opens when there is data.' },
    label: { title: 'Label', act: 'Label pairs', open: 'Open pairs', locked: 'Opens at the first checkpoint.' },
    chat: { title: 'Chat', act: 'Open chat', open: 'Open chat', locked: 'Opens when there is a model.' },
  },
  watch: 'Watch the run',
  station: (n: number, state: 'done' | 'now' | 'ready' | 'locked'): string =>
    `Step ${n}, ${{ done: 'done', now: 'next', ready: 'open', locked: 'not open yet' }[state]}`,
  recent: 'Recent',
  recentNone: 'Nothing yet. What you import, train, judge and say appears here.',
  kinds: { run: 'Run', dataset: 'Data', chat: 'Chat', model: 'Model', pairs: 'Pairs' },
  drop: 'Drop a file anywhere to import it. JSONL, JSON, CSV, TSV, Parquet or plain text.',
  import: 'Import',
  starter: {
    here: 'on this machine',
    size: 'Size',
    context: 'Context',
    made: 'Layers',
    vocabulary: 'Vocabulary',
    template: 'Template',
    hasTemplate: 'Chat, from its folder',
    noTemplate: 'None: it continues text',
    note: 'Small enough to train in minutes without a card, so you can see every step work before you bring a larger model.',
    details: 'Model details',
    larger: 'Add a larger model',
  },
  noStarter: {
    title: 'No model yet',
    text: 'Add a model folder in Hugging Face form, with config.json, safetensors files and tokenizer.json.',
    act: 'Add a model',
  },
  reading: 'Reading the library',
}
