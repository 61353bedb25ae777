// Sentences of the Models page.
export const models = {
  title: 'Models',
}
