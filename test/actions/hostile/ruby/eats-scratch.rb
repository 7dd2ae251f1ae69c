# Fills every place it may write to with large and with many files, and answers.
def fill(folder)
  refused = []
  begin
    File.open("#{folder}/large", 'wb') { |file| 4096.times { file.syswrite('x' * (1 << 20)) } }
  rescue SystemCallError => problem
    refused << problem.class.name
  end
  begin
    20_000.times { |i| File.write("#{folder}/small-#{i}", '') }
  rescue SystemCallError => problem
    refused << problem.class.name
  end
  refused
end

def main(args)
  { answered: true, refused: %w[/tmp /home/action /dev/shm].to_h { |folder| [folder, fill(folder)] } }
end
