// The packaged application starts here.
import { builtPages } from '../pages.ts'
import { start } from './window.ts'

void start(builtPages())
