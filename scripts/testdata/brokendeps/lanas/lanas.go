package lanas

import _ "oneshot/supernet"
