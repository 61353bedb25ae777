// Sentences of the Label page.
export const label = {
  title: 'Label',
}
