def leave(mark)
  File.write('/dev/shm/file', '')
  'left'
end

def read
  [File.mtime('/dev/shm').to_r.to_s, File.atime('/dev/shm').to_r.to_s]
end
