// temper models
import { Failure } from '../../contract/errors.ts'
import { bytes, need, read, table, type Terminal } from './terminal.ts'

const usage = 'models add PATH [--name N] | list | show ID | remove ID'

export async function models(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = read(args, { name: { type: 'string' } }, usage, 2)
  const [verb = 'list', subject] = positionals
  const core = await terminal.core()
  switch (verb) {
    case 'list': {
      const list = await core.call('models.list', {})
      return terminal.result(list, () =>
        table(
          ['id', 'name', 'family', 'parameters', 'size', 'context'],
          list.map((m) => [m.id, m.name, m.family, m.parameters, bytes(m.bytes), m.context]),
        ),
      )
    }
    case 'add': {
      const path = need(subject, 'The folder', usage)
      const model = await core.call('models.add', { path, ...(values.name !== undefined && { name: values.name }) })
      return terminal.result(
        model,
        () => `${model.id}  ${model.name}: ${model.parameters.toLocaleString('en')} parameters.`,
      )
    }
    case 'show': {
      const model = await core.call('models.show', { id: need(subject, 'The id', usage) })
      return terminal.result(model, () =>
        [
          `${model.id}  ${model.name}`,
          `${model.family}, ${model.parameters.toLocaleString('en')} parameters, ${model.layers} layers of width ${model.width}, vocabulary ${model.vocabulary}, context ${model.context} tokens`,
          `${bytes(model.bytes)} in ${model.path}`,
          model.card ?? '',
        ].join('\n'),
      )
    }
    case 'remove': {
      const id = need(subject, 'The id', usage)
      await core.call('models.remove', { id })
      return terminal.result({ removed: id }, () => `${id} is no longer in the library. Its files were not touched.`)
    }
    default:
      throw new Failure('BadOption', `models does not know “${verb}”.`, { where: verb, next: `Usage: temper ${usage}` })
  }
}
