// Whether the core answers, for the banner.
import type { Link } from '../api/link.ts'

export const link = $state<{ now: Link; wasOpen: boolean }>({
  now: { state: 'connecting', retryMs: null },
  wasOpen: false,
})
