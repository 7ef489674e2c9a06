package kvstest

import "time"

// Has reports whether the archive has, at this time by [Config.Now], a picture of
// an instant of the stream of that name: media that has arrived, is kept and can be
// decoded. Whether a call gets it is another matter: the stream may be forbidden,
// or the call have a fault.
func (s *Server) Has(stream string, instant time.Time) bool {
	st := s.find(stream, "")
	if st == nil {
		return false
	}
	t := instant.UnixMilli()
	what, _ := st.footage.look(t, t, s.cfg.Now())
	if what == headless { // only of a range that starts there
		_, broken := find(st.footage.errors, t)
		return !broken
	}
	return what == picture
}

// tell tells Config.Served of the pictures of a page that nothing has spoilt yet.
func (s *Server) tell(job *imagesJob, p page) {
	if s.cfg.Served == nil {
		return
	}
	for i, e := range p.entries {
		if e.content != nil {
			s.cfg.Served(job.st.Name, time.UnixMilli(job.instants.at(job.first+int64(i))).UTC())
		}
	}
}
