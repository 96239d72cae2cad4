package weights

import "C"
