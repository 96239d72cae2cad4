package folder

import _ "oneshot/weights"
