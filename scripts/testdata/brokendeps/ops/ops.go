package ops

import _ "gorgonia.org/cu"
