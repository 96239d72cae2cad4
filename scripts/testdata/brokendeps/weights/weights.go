package weights

import _ "math/rand"
