// Sentences of the Runs page.
export const runs = {
  title: 'Runs',
}
