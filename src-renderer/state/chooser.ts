// Acts of the frame that pages may ask for: the file dialog, the key sheet, the palette.

export const chooser: {
  /** Opens the system's file dialog; what is chosen is imported. */
  open: () => void
  keys: () => void
  find: () => void
  /** Set by the Models page while it is shown: takes a dropped folder or file. */
  model: ((file: File) => void) | null
} = { open: () => undefined, keys: () => undefined, find: () => undefined, model: null }
