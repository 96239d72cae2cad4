package engine

import _ "oneshot/supernet"
