package space

// Extremes are the architectures that have, of every choice, the candidate that costs most or least. cost is what an
// architecture costs, in two figures of which the second tells equals apart; of candidates that are equal in both the first
// is taken. What a candidate adds is taken from architectures that choose alike everywhere else, by each number, as where
// others pass nothing on it would add nothing. candidates are those of an Independent space.
func Extremes(candidates []int, cost func(a Arch) ([2]int64, error)) (largest, smallest Arch, err error) {
	widest := 0
	for _, n := range candidates {
		widest = max(widest, n)
	}
	largest, smallest = make(Arch, len(candidates)), make(Arch, len(candidates))
	a := make(Arch, len(candidates))
	for i, n := range candidates {
		var most, least [2]int64
		for k := range n {
			var sum [2]int64
			for base := range widest {
				for j, m := range candidates {
					a[j] = min(base, m-1)
				}
				a[i] = k
				c, err := cost(a)
				if err != nil {
					return nil, nil, err
				}
				sum[0], sum[1] = sum[0]+c[0], sum[1]+c[1]
			}
			if k == 0 || sum[0] > most[0] || sum[0] == most[0] && sum[1] > most[1] {
				largest[i], most = k, sum
			}
			if k == 0 || sum[0] < least[0] || sum[0] == least[0] && sum[1] < least[1] {
				smallest[i], least = k, sum
			}
		}
	}
	return largest, smallest, nil
}
